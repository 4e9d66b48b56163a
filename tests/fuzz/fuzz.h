/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fuzz.h: what the targets share. Each is one LLVMFuzzerTestOneInput, run by libFuzzer or by replay.c. */
#ifndef VP_FUZZ_H
#define VP_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A record whose asked/x has this text: its descriptor, which stays open. */
int fuzz_record(const void *text, size_t length);

/* A property that does not hold is a crash. */
#define HOLDS(condition) \
	do { \
		if (!(condition)) { \
			fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, \
				#condition); \
			abort(); \
		} \
	} while (0)

#endif
