/* SPDX-License-Identifier: GPL-2.0-or-later */
/* log-show.h: events of logs as lives, for people, and as JSON. */
#ifndef VP_CLI_LOG_SHOW_H
#define VP_CLI_LOG_SHOW_H

#include "command.h"
#include "json.h"
#include "log-file.h"

/* Those with SHOWN true, life by life; the events of each log in their order. */
void log_show_lives(struct cli *cli, const struct log_events *events, const bool *shown);

void log_show_json(struct cli *cli, struct json *json, const struct log_event *event);

/* Prints a line as it stands, as a terminal may have it, in the style of what it is. */
void log_print_line(const char *line, size_t length);

#endif
