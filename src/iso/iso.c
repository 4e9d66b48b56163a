/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Builds the image: the scanned tree handed to libisofs, its output written and checked. */
#include "iso.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "iso-stream.h"
#include "iso-tree.h"

#define WRITE_SIZE (64 * 1024)
#define FIFO_BLOCKS 64 /* of 2 KiB */

/* The time of an image that has no source: 1980-01-01, the earliest that every reader shows. */
#define TIME_WITHOUT_SOURCE 315532800

struct build {
	struct iso_tree tree;
	IsoImage *image;
	IsoWriteOpts *options;
	struct burn_source *output;
	struct iso_reader reader;
	unsigned char buffer[WRITE_SIZE];
};

static int fail(struct build *b, int error, const char *what)
{
	return iso_fail(&b->tree.failure, error, "cannot %s: %s", what, strerror(error));
}

static int fail_libisofs(struct build *b, const char *what, int code)
{
	int error = code == (int)ISO_OUT_OF_MEM ? ENOMEM : EIO;

	return iso_fail(&b->tree.failure, error, "cannot %s: %s", what, iso_error_to_msg(code));
}

static int check_request(struct build *b)
{
	const struct iso_request *request = b->tree.request;
	const char *id = request->application_id ? request->application_id : "";
	const char *why;

	if (iso_check_label(request->label, &why) < 0)
		return iso_fail(&b->tree.failure, EINVAL, "the label '%s' %s", request->label, why);
	if (strlen(id) > ISO_APPLICATION_ID_MAX)
		return iso_fail(&b->tree.failure, EINVAL,
			"the application id is longer than 128 characters");
	/* ECMA-119 7.4.1, a-characters: libisofs would replace others. */
	for (const char *c = id; *c; c++)
		if (*c < ' ' || *c > 'z' || strchr("#$@[\\]^`", *c))
			return iso_fail(&b->tree.failure, EINVAL,
				"the application id '%s' holds a character that it cannot hold",
				id);
	if (request->n_sources >= ISO_INLINE)
		return iso_fail(&b->tree.failure, EINVAL, "too many sources");
	return 0;
}

static int make_image(struct build *b)
{
	const struct iso_request *request = b->tree.request;
	time_t now = b->tree.newest_mtime;
	int code;

	iso_nowtime(&now, 1);
	code = iso_image_new(request->label, &b->image);
	if (code < 0)
		return fail_libisofs(b, "make the image", code);
	iso_image_set_truncate_mode(b->image, 0, 255);
	iso_image_set_application_id(b->image, request->application_id);
	return iso_stream_add_tree(&b->reader, b->image);
}

static int set_options(struct build *b)
{
	IsoWriteOpts *o;
	time_t now = b->tree.newest_mtime;
	int code = iso_write_opts_new(&b->options, 1);
	int ok;

	if (code < 0)
		return fail_libisofs(b, "set the options", code);
	o = b->options;
	ok = iso_write_opts_set_iso_level(o, 3) > 0 && /* files of 4 GiB and more */
	     iso_write_opts_set_rockridge(o, 1) > 0 && iso_write_opts_set_joliet(o, 1) > 0 &&
	     iso_write_opts_set_joliet_long_names(o, 1) > 0 &&
	     iso_write_opts_set_joliet_longer_paths(o, 1) > 0 &&
	     /* "meta-data" in Joliet, not "meta-data.;1" */
	     iso_write_opts_set_no_force_dots(o, 2) > 0 &&
	     iso_write_opts_set_omit_version_numbers(o, 2) > 0 &&
	     iso_write_opts_set_allow_deep_paths(o, 1) > 0 &&
	     iso_write_opts_set_allow_longer_paths(o, 1) > 0 &&
	     iso_write_opts_set_relaxed_vol_atts(o, 1) > 0 && /* small letters in the label */
	     iso_write_opts_set_aaip(o, 0) > 0 && iso_write_opts_set_hardlinks(o, 0) > 0 &&
	     iso_write_opts_set_always_gmt(o, 1) > 0 &&
	     iso_write_opts_set_dir_rec_mtime(o, 7) > 0 &&
	     iso_write_opts_set_pvd_times(o, now, now, 0, 0, "") > 0 &&
	     iso_write_opts_set_output_charset(o, "UTF-8") > 0 &&
	     iso_write_opts_set_fifo_size(o, FIFO_BLOCKS) > 0;
	return ok ? 0 : fail(b, EINVAL, "set the options of libisofs");
}

static int write_all(struct build *b, int fd, const unsigned char *data, size_t size, off_t at)
{
	while (size > 0) {
		ssize_t done = pwrite(fd, data, size, at);

		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0)
			return fail(b, done < 0 ? errno : EIO, "write the image");
		data += done;
		size -= (size_t)done;
		at += done;
	}
	return 0;
}

/* Takes exactly as many bytes as were announced: a read past the end reports an end of file even
 * when it gave data, and an image that was given up looks like an end of file as well. */
static int write_image(struct build *b, int fd, off_t size)
{
	for (off_t at = 0; at < size;) {
		int want = size - at < WRITE_SIZE ? (int)(size - at) : WRITE_SIZE;
		int got = b->output->read_xt(b->output, b->buffer, want);
		int error;

		if (got != want && iso_ring_buffer_get_status(b->output, NULL, NULL) == 2)
			return iso_check_fail_layout(&b->tree.failure);
		if (got != want)
			return fail(b, EIO, "take the image from libisofs");
		error = write_all(b, fd, b->buffer, (size_t)got, at);
		if (error)
			return error;
		at += got;
	}
	/* Then libisofs has ended without an error, and has nothing more to give. */
	if (b->output->read_xt(b->output, b->buffer, 1) != 0)
		return iso_check_fail_layout(&b->tree.failure);
	if (iso_ring_buffer_get_status(b->output, NULL, NULL) != 2)
		return fail(b, EIO, "take the image from libisofs to its end");
	return 0;
}

/* Ends libisofs' thread: only then the reader's fields may be looked at. */
static void end_output(struct build *b)
{
	if (!b->output)
		return;
	b->output->cancel(b->output);
	b->output->free_data(b->output);
	free(b->output);
	b->output = NULL;
	iso_reader_close(&b->reader);
}

static int make_output(struct build *b, int fd)
{
	off_t size;
	int error;
	int code = iso_image_create_burn_source(b->image, b->options, &b->output);

	if (code < 0) {
		b->output = NULL;
		return fail_libisofs(b, "lay out the image", code);
	}
	size = b->output->get_size(b->output);
	error = size > 0 ? write_image(b, fd, size) : fail(b, EIO, "size the image");
	end_output(b);
	if (b->reader.failure.error) { /* the cause of whatever else failed */
		b->tree.failure = b->reader.failure;
		return -b->reader.failure.error;
	}
	if (!error && (b->reader.delivered != b->tree.bytes || b->reader.closed != b->tree.files))
		error = fail(b, EIO, "write every file whole");
	if (!error && ftruncate(fd, size) < 0)
		error = fail(b, errno, "cut the image to its size");
	if (!error)
		error = iso_check_image(fd, (uint64_t)size, &b->tree.failure);
	return error;
}

static int build(struct build *b, int fd)
{
	int error = iso_tree_add_files(&b->tree);

	if (!error)
		error = iso_scan(&b->tree);
	if (!error && b->tree.newest_mtime == INT64_MIN)
		b->tree.newest_mtime = TIME_WITHOUT_SOURCE;
	if (!error)
		error = make_image(b);
	if (!error)
		error = set_options(b);
	if (!error)
		error = make_output(b, fd);
	if (!error)
		error = iso_scan_verify(&b->tree);
	if (!error && fsync(fd) < 0)
		error = fail(b, errno, "bring the image to disk");
	return error;
}

static int with_libisofs(struct build *b, int fd)
{
	time_t unused;
	int error;
	int code = iso_init_with_flag(1);

	if (code < 0)
		return fail_libisofs(b, "start libisofs", code);
	iso_reader_init(&b->reader, &b->tree);
	if (iso_set_msgs_severities("NEVER", "NEVER", "") <= 0 ||
		iso_set_abort_severity("MISHAP") < 0 || iso_set_local_charset("UTF-8", 0) <= 0)
		error = fail(b, EINVAL, "set up libisofs");
	else
		error = build(b, fd);
	if (b->options)
		iso_write_opts_free(b->options);
	if (b->image)
		iso_image_unref(b->image);
	iso_nowtime(&unused, 2);
	iso_finish();
	return error;
}

int iso_build(const struct iso_request *request, int out_fd, char *ret_why, size_t why_size)
{
	struct build *b = malloc(sizeof *b);
	int error;

	if (!b) {
		snprintf(ret_why, why_size, "out of memory");
		return -ENOMEM;
	}
	b->image = NULL;
	b->options = NULL;
	b->output = NULL;
	error = iso_tree_init(&b->tree, request);
	if (!error)
		error = check_request(b);
	if (!error)
		error = with_libisofs(b, out_fd);
	if (error) {
		snprintf(ret_why, why_size, "%s", b->tree.failure.why);
		for (char *c = ret_why; why_size > 0 && *c; c++)
			if ((unsigned char)*c < ' ' || *c == 0x7f)
				*c = '?';
	}
	iso_tree_free(&b->tree);
	free(b);
	return error;
}
