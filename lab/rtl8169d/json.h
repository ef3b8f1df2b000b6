/* SPDX-License-Identifier: GPL-2.0-only */
/* Just enough JSON for commands: one flat object of strings, numbers and booleans. */
#ifndef RTL8169D_JSON_H
#define RTL8169D_JSON_H

#include "util.h"

#define JSON_MEMBERS_MAX	16
#define JSON_TEXT_MAX		1024

enum json_kind {
	JSON_STRING,
	JSON_NUMBER,
	JSON_BOOL,
	JSON_NULL,
};

struct json_member {
	char name[64];
	enum json_kind kind;
	char text[JSON_TEXT_MAX];	/* of a string */
	double number;
	bool truth;
};

struct json {
	struct json_member members[JSON_MEMBERS_MAX];
	unsigned int count;
};

/** json_parse() - parse @text, NUL-terminated. Return: NULL, or one sentence about the error. */
const char *json_parse(struct json *json, const char *text);

/** json_string() - string member @name, or NULL. */
const char *json_string(const struct json *json, const char *name);

/** json_number() - number member @name. Return: false if there is none. */
bool json_number(const struct json *json, const char *name, double *value);

/** json_bool() - boolean member @name, @absent if there is none. */
bool json_bool(const struct json *json, const char *name, bool absent);

/** json_quote() - write @text as a JSON string with its quotes, cut to fit @size. */
void json_quote(char *out, size_t size, const char *text);

#endif
