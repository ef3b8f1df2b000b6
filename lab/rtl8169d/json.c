// SPDX-License-Identifier: GPL-2.0-only
/* Flat JSON objects. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

#include "json.h"

static const char *skip(const char *p)
{
	while (*p == ' ' || *p == '\t' || *p == '\r' || *p == '\n')
		p++;
	return p;
}

/* Character behind a backslash; \u only for one-byte characters. Return: 0 if it is none. */
static char escaped(const char **p)
{
	static const char from[] = "\"\\/bfnrt";
	static const char to[] = "\"\\/\b\f\n\r\t";
	const char *hit;
	unsigned int code;

	if (**p == 'u') {
		if (sscanf(*p + 1, "%4x", &code) != 1 || !code || code > 0x7f)
			return 0;
		*p += 5;
		return (char)code;
	}
	hit = **p ? strchr(from, **p) : NULL;
	if (!hit)
		return 0;
	(*p)++;
	return to[hit - from];
}

/* Return: position behind the closing quote, or NULL. */
static const char *parse_string(const char *p, char *out, size_t size)
{
	size_t used = 0;

	if (*p++ != '"')
		return NULL;
	while (*p != '"') {
		char c = *p;

		if (!c || used + 1 >= size)
			return NULL;
		p++;
		if (c == '\\') {
			c = escaped(&p);
			if (!c)
				return NULL;
		}
		out[used++] = c;
	}
	out[used] = 0;
	return p + 1;
}

static const char *parse_value(const char *p, struct json_member *m)
{
	char *end;

	if (*p == '"') {
		m->kind = JSON_STRING;
		return parse_string(p, m->text, sizeof(m->text));
	}
	if (!strncmp(p, "true", 4) || !strncmp(p, "false", 5)) {
		m->kind = JSON_BOOL;
		m->truth = *p == 't';
		return p + (m->truth ? 4 : 5);
	}
	if (!strncmp(p, "null", 4)) {
		m->kind = JSON_NULL;
		return p + 4;
	}
	if (*p != '-' && !isdigit((unsigned char)*p))
		return NULL;
	m->kind = JSON_NUMBER;
	m->number = strtod(p, &end);
	return end;
}

const char *json_parse(struct json *json, const char *text)
{
	static const char wrong[] =
		"a command is one JSON object of strings, numbers and booleans, like {\"cmd\":\"stats\"}";
	const char *p = skip(text);

	json->count = 0;
	if (*p++ != '{')
		return wrong;
	p = skip(p);
	while (*p != '}') {
		struct json_member *m = &json->members[json->count];

		if (json->count == JSON_MEMBERS_MAX)
			return "a command has at most 16 members";
		p = parse_string(p, m->name, sizeof(m->name));
		if (!p)
			return wrong;
		p = skip(p);
		if (*p++ != ':')
			return wrong;
		p = parse_value(skip(p), m);
		if (!p)
			return wrong;
		json->count++;
		p = skip(p);
		if (*p == ',')
			p = skip(p + 1);
		else if (*p != '}')
			return wrong;
	}
	return *skip(p + 1) ? wrong : NULL;
}

static const struct json_member *find(const struct json *json, const char *name,
				      enum json_kind kind)
{
	unsigned int i;

	for (i = 0; i < json->count; i++)
		if (json->members[i].kind == kind && !strcmp(json->members[i].name, name))
			return &json->members[i];
	return NULL;
}

const char *json_string(const struct json *json, const char *name)
{
	const struct json_member *m = find(json, name, JSON_STRING);

	return m ? m->text : NULL;
}

bool json_number(const struct json *json, const char *name, double *value)
{
	const struct json_member *m = find(json, name, JSON_NUMBER);

	if (m)
		*value = m->number;
	return m;
}

bool json_bool(const struct json *json, const char *name, bool absent)
{
	const struct json_member *m = find(json, name, JSON_BOOL);

	return m ? m->truth : absent;
}

void json_quote(char *out, size_t size, const char *text)
{
	size_t used = 0;

	out[used++] = '"';
	for (; *text && used + 8 < size; text++) {
		unsigned char c = (unsigned char)*text;

		if (c == '"' || c == '\\')
			out[used++] = '\\';
		if (c < ' ')
			used += (size_t)snprintf(out + used, 7, "\\u%04x", c);
		else
			out[used++] = (char)c;
	}
	out[used++] = '"';
	out[used] = 0;
}
