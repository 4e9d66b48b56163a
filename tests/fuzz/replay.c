/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Gives files to a fuzz target, one after the other, without libFuzzer. */
#include "fuzz.h"

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		FILE *file = fopen(argv[i], "rb");
		uint8_t *data = malloc(16 << 20);
		size_t size = file && data ? fread(data, 1, 16 << 20, file) : 0;

		if (!file || !data || ferror(file)) {
			perror(argv[i]);
			return 2;
		}
		fprintf(stderr, "%s\n", argv[i]);
		LLVMFuzzerTestOneInput(data, size);
		free(data);
		fclose(file);
	}
	return 0;
}
