/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * virt-parts.h: the frame of a part, for parts written in C.
 *
 * A part is one const table (struct vp_part) and the functions that it names. The frame reads the
 * guest's directives, checks every element, attribute and value against the table, and calls the
 * function of the event with typed values. A value that does not fit never reaches a function.
 *
 *	static int greet(const struct vp_event *event, const struct vp_element *directive);
 *	static const struct vp_part part = { .name = "greeting", ... };
 *	int main(int argc, char **argv) { return vp_part_main(&part, argc, argv); }
 *
 * Build with `pkg-config --cflags --libs virt-parts`.
 */
#ifndef VIRT_PARTS_H
#define VIRT_PARTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

/* What the text of an element or an attribute is. */
enum vp_type {
	VP_NONE,     /* an element without text */
	VP_TEXT,     /* any text; %NAME% and %UUID% are replaced */
	VP_VERBATIM, /* any text, nothing is replaced in it */
	VP_PATH, /* an absolute path without `.`, `..` and control characters; replaced as VP_TEXT */
	VP_SIZE,   /* bytes, with K, M, G, T (powers of 1024) */
	VP_NUMBER, /* a decimal number */
	VP_MODE,   /* an octal file mode, at most 1777: setuid and setgid are refused */
	VP_ID,	   /* a numeric user or group id */
	VP_YESNO,  /* yes or no */
	VP_WORDS,  /* words of the table's list, white space between them */
};

/* Which rule of parts.conf a path comes under; VP_ANYWHERE: none. */
enum vp_access { VP_ANYWHERE, VP_READ, VP_WRITE, VP_DELETE, VP_ISO };

/* An attribute that an element may have. A list of them ends with {0}. */
struct vp_attr_spec {
	const char *name;
	enum vp_type type;
	bool required;
	uint64_t min, max;	  /* of a number or size; max 0: no limit */
	const char *const *words; /* VP_WORDS: the words that may be used, NULL at the end */
	enum vp_access access;	  /* VP_PATH */
};

/* An element. A list of them ends with {0}. */
struct vp_element_spec {
	const char *name;
	enum vp_type type;
	enum vp_access access;
	unsigned min, max; /* how many its parent must and may have; max 0: any number */
	const struct vp_attr_spec *attrs;
	const struct vp_element_spec *children;
};

/* The <datestr> element: a directive that lists it among its children has its dates replaced. */
#define VP_DATESTR_SPEC \
	{ \
		.name = "datestr", .children = vp_datestr_children \
	}
extern const struct vp_element_spec vp_datestr_children[];

struct vp_attr {
	const char *name;
	const char *text; /* as it counts: replaced, and in the form that the type asks for */
	uint64_t number;  /* VP_SIZE, VP_NUMBER, VP_MODE, VP_ID; VP_YESNO: 1 for yes */
};

/* An element as a guest's metadata has it. Everything in it belongs to the frame. */
struct vp_element {
	const char *name;
	const char *text; /* never NULL */
	uint64_t number;
	const struct vp_element_spec *spec;
	struct vp_attr *attrs;
	size_t n_attrs;
	struct vp_element *parent, *first_child, *next;
	struct vp_element *last; /* of the list that this element is the first of */
};

/* The first child called NAME (NULL: any), or NULL. */
const struct vp_element *vp_child(const struct vp_element *parent, const char *name);
/* The next sibling called NAME (NULL: any), or NULL. */
const struct vp_element *vp_next(const struct vp_element *element, const char *name);
/* An attribute's text or number; the fallback if it is not there. */
const char *vp_attr_text(const struct vp_element *element, const char *name, const char *fallback);
uint64_t vp_attr_number(const struct vp_element *element, const char *name, uint64_t fallback);
/* Whether the VP_WORDS attribute NAME is there and holds WORD. */
bool vp_attr_has_word(const struct vp_element *element, const char *name, const char *word);

/* The event that libvirt calls the hook for. The strings are never NULL. */
struct vp_event {
	const char *driver; /* qemu, lxc, network, ... */
	const char *domain; /* the guest's name */
	const char *uuid;   /* of the guest; "" when the XML has none */
	const char *op;	    /* prepare, start, started, stopped, release, ... */
	const char *subop;  /* begin, end, ... */
	const char *extra;  /* libvirt's fourth argument, `-` if there is none */
	const char
		*reason; /* of stopped and release: shutdown, destroyed, saved, failed, lost, ... */
	const char *failed;    /* names of the parts that failed in this teardown, spaces between */
	const char *state_dir; /* the record of the guest's run; "" if there is none */
	const char *hook_dir;  /* where parts.conf lies */
	time_t time;	       /* all parts of an event agree on it, UTC seconds */
	const char *part;      /* this part's name, for messages */
};

/*
 * What a part does at one event, called once for each of the guest's directives of the part's name.
 * 0: done. Anything else: it could not be done, and vp_error has said why.
 */
typedef int vp_action(const struct vp_event *event, const struct vp_element *directive);

struct vp_handler {
	const char *op, *subop;
	vp_action *each;
};

/*
 * Where the directives come from: the XML on standard input, or the record that prepare made. 0 or
 * -errno; *ret is NULL when the guest has none of that name. After an error, why says what is wrong.
 */
struct vp_source;
typedef int vp_reader(const struct vp_event *event, const char *name, struct vp_source *ret);
vp_reader vp_read_xml;	  /* needs libxml2 */
vp_reader vp_read_record; /* a run's record: what was asked at prepare, whatever was edited since */

struct vp_part {
	const char *name;    /* the directive, which is the part's name without its number */
	const char *summary; /* a line for --help */
	const struct vp_element_spec *directive;
	const struct vp_handler *handlers; /* ends with {0} */
	vp_reader *read;
};

/*
 * Runs the part: the whole of a part's main. The exit status of a process: 0 done (also when the
 * guest has no such directive, or the event is none of the part's), 1 failed, 2 wrong use.
 */
int vp_part_main(const struct vp_part *part, int argc, char **argv);

/*
 * Messages on standard error, one line each: `GUEST: <directive><element>: TEXT`. Control
 * characters are escaped. WHERE may be NULL.
 */
void vp_error(const struct vp_event *event, const struct vp_element *where, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void vp_note(const struct vp_event *event, const struct vp_element *where, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#endif
