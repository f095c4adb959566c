/* Writes a tree as YAML: block style, with lists of plain words on one line. */
#include "convert/yaml_tree.h"
#include "convert/yaml_tree_internal.h"
#include "lib/printable.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define INDENT      2
#define COLUMNS_MAX 100 /* columns */
#define FLOW_MAX    80

#define DIGITS "0123456789"
/* Characters with which a plain word must not start, or end. */
#define PLAIN "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz" DIGITS "_./+-:"

/* YAML 1.1's and 1.2's words for something other than text (yaml.org/type, 10.3.2). */
static bool is_word(const char *text)
{
	static const char *const words[] = {"true", "false", "yes",  "no",   "on",  "off",
					    "y",    "n",     "null", ".inf", ".nan"};
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strcasecmp(text, words[i]) == 0)
			return true;
	return false;
}

/* Integers in any base, floats, sexagesimal numbers, dates: everything that a YAML reader may take
 * for a number. An address with its three dots is not one. */
static bool is_number(const char *text)
{
	char *end;
	text += *text == '+' || *text == '-';
	(void)strtod(text, &end);
	if (!*end && end != text)
		return true;
	if (strncmp(text, "0o", 2) == 0 || strncmp(text, "0b", 2) == 0)
		return true;
	return *text && (!text[strspn(text, DIGITS "_")] || !text[strspn(text, DIGITS ":")] ||
			 !text[strspn(text, DIGITS "-")]);
}

static bool is_plain(const char *text)
{
	size_t length = strlen(text);
	return length && !text[strspn(text, PLAIN)] && !strchr(".+-:", *text) &&
	       text[length - 1] != ':' && !is_word(text) && !is_number(text);
}

/* Within double quotes (YAML 1.2, 5.7). U+0085, U+2028 and U+2029 would be line breaks to libyaml.
 * A byte that is not UTF-8 has no escape. */
static void put_character(FILE *out, const char *text, size_t length)
{
	const uint32_t code = character_code(text, length);
	if (length == 1 && (unsigned char)*text > 0x7f)
		fputc('?', out);
	else if (*text == '"' || *text == '\\')
		fprintf(out, "\\%c", *text);
	else if (character_printable(text, length))
		fwrite(text, 1, length, out);
	else
		fprintf(out, code > 0xffff ? "\\U%08x" : code > 0xff ? "\\u%04x" : "\\x%02x", code);
}

static void put_scalar(FILE *out, const char *text)
{
	if (is_plain(text)) {
		fputs(text, out);
		return;
	}
	fputc('"', out);
	for (size_t length; *text; text += length) {
		length = character_length(text, strnlen(text, 4));
		put_character(out, text, length);
	}
	fputc('"', out);
}

static void put_indent(FILE *out, int indent)
{
	fprintf(out, "%*s", indent, "");
}

/* A word of a comment, or a part of it. */
static void put_word(FILE *out, const char *text, size_t size)
{
	for (size_t length; size; text += length, size -= length) {
		length = character_length(text, size);
		if (character_printable(text, length))
			fwrite(text, 1, length, out);
		else
			fputc('?', out);
	}
}

/* Wraps the text into lines. */
static void put_comment(FILE *out, const char *text, int indent)
{
	int column = 0;
	while (*text) {
		int length = (int)strcspn(text, " ");
		if (column && column + 1 + length > COLUMNS_MAX) {
			fputc('\n', out);
			column = 0;
		}
		if (!column) {
			fprintf(out, "%*s#", indent, "");
			column = indent + 1;
		}
		fputc(' ', out);
		put_word(out, text, (size_t)length);
		column += 1 + length;
		text += length;
		text += strspn(text, " ");
	}
	fputc('\n', out);
}

/* Whether it is a list of plain words that fits into a line. */
static bool is_flow(const struct tree *tree)
{
	size_t length = 0;
	for (const struct tree *child = tree->first; child; child = child->next) {
		if (child->kind != TREE_TEXT)
			return false;
		length += strlen(child->text) + 2;
	}
	return tree->kind == TREE_LIST && length <= FLOW_MAX;
}

static void put_flow(FILE *out, const struct tree *list)
{
	fputc('[', out);
	for (const struct tree *child = list->first; child; child = child->next) {
		put_scalar(out, child->text);
		fputs(child->next ? ", " : "", out);
	}
	fputs("]\n", out);
}

static void put_children(FILE *out, const struct tree *tree, int indent, bool begun);

/* Writes the text after a key or a dash, and the end of the line. */
static void put_value(FILE *out, const struct tree *tree, int indent)
{
	const char *namespace = tree->key ? " " : "";
	switch (tree->kind) {
	case TREE_TEXT:
		fputs(namespace, out);
		put_scalar(out, tree->text);
		fputc('\n', out);
		return;
	case TREE_NUMBER:
		fprintf(out, "%s%lld\n", namespace, tree->number);
		return;
	case TREE_BOOL:
		fprintf(out, "%s%s\n", namespace, tree->number ? "true" : "false");
		return;
	case TREE_MAP:
	case TREE_LIST:
		break;
	case TREE_COMMENT:
		return;
	}
	if (!tree->first) {
		fprintf(out, "%s%s\n", namespace, tree->kind == TREE_MAP ? "{}" : "[]");
	} else if (is_flow(tree)) {
		fputs(namespace, out);
		put_flow(out, tree);
	} else {
		/* The first entry of a map follows the dash. */
		bool begun = !tree->key && tree->first->kind != TREE_COMMENT;
		fputs(begun ? "" : "\n", out);
		put_children(out, tree, indent + INDENT, begun);
	}
}

static void put_child(FILE *out, const struct tree *child, int indent)
{
	if (child->key) {
		put_scalar(out, child->key);
		fputc(':', out);
	} else {
		fputs(child->first && child->first->kind == TREE_COMMENT ? "-" : "- ", out);
	}
	put_value(out, child, indent);
}

static void put_children(FILE *out, const struct tree *tree, int indent, bool begun)
{
	for (const struct tree *child = tree->first; child; child = child->next, begun = false) {
		if (child->kind == TREE_COMMENT) {
			put_comment(out, child->text, indent);
			continue;
		}
		if (!begun)
			put_indent(out, indent);
		put_child(out, child, indent);
	}
	if (tree_empty(tree))
		fprintf(out, "%*s%s\n", indent, "", tree->kind == TREE_MAP ? "{}" : "[]");
}

void tree_yaml_comment(FILE *out, const char *text)
{
	put_comment(out, text, 0);
}

void tree_yaml(FILE *out, const struct tree *map)
{
	put_children(out, map, 0, false);
}
