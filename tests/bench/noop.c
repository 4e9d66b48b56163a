/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The least that a program can do: the floor that everything is measured against. */
int main(void)
{
	return 0;
}
