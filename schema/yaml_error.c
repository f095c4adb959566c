#include "schema/diag_report.h"
#include "schema/yaml.h"

#include <stdio.h>
#include <string.h>
#include <yaml.h>

/* libyaml's messages, and this program's texts, which need no knowledge of YAML's grammar. */
struct wording {
	const char *problem; /* libyaml's */
	const char *text;    /* NULL: libyaml's text */
	const char *hint;
	/* An unclosed construct: reported at its start, with the place where the parser detected
	 * it. */
	bool unclosed;
};

#define INDENTATION "check the indentation: it must be the same for all entries"
#define COLON                                                                                       \
	"check the indentation, and the line above for a missing ':'; quote a value that contains " \
	"':'"

static const struct wording wordings[] = {
	{"mapping values are not allowed in this context", "unexpected ':'", COLON, false},
	{"found unexpected ':'", "unexpected ':'", COLON, false},
	{"did not find expected key", "expected another key of the map above, or its end",
	 INDENTATION, false},
	{"did not find expected '-' indicator",
	 "expected another item of the list above, or its end", INDENTATION, false},
	{"did not find expected ',' or ']'", "the list is not closed",
	 "close it with ']', and put ',' between the items", true},
	{"did not find expected ',' or '}'", "the map is not closed",
	 "close it with '}', and put ',' between the entries", true},
	{"did not find expected node content", "expected a value",
	 "write the value, and close open brackets and quotes", false},
	{"could not find expected ':'", "expected ':' after the key",
	 "write `KEY: VALUE` on one line", false},
	{"found unexpected end of stream", "the quote is not closed",
	 "close it with the same quote", true},
	{"found unexpected document indicator", "the quote is not closed",
	 "close it with the same quote", true},
	{"block sequence entries are not allowed in this context", "unexpected '- '",
	 "start the list on the line below its key", false},
	{"block mapping entries are not allowed in this context", "unexpected '? '",
	 "write `KEY: VALUE`", false},
	{"did not find expected <document start>",
	 "unexpected content after the end of the document",
	 "check the indentation; a new document starts with a line `---`", false},
	{"found incompatible YAML document", "the YAML version is not supported",
	 "remove the %YAML line", false},
	{"found unknown directive name", "the YAML directive is not supported",
	 "remove the line that starts with '%'", false},
	{"found undefined tag handle", "tags are not supported", "remove the tag", false},
	{"found unknown escape character", "unknown escape sequence after \\",
	 "write \\\\ for a backslash, or use single quotes", false},
	{"did not find expected alphabetic or numeric character",
	 "a '*' or '&' starts an alias or anchor, which are not supported",
	 "put the value in quotes", false},
	{"found a tab character that violates indentation", "a tab is not allowed as indentation",
	 "indent with spaces", false},
	{"found a tab character where an indentation space is expected",
	 "a tab is not allowed as indentation", "indent with spaces", false},
};

static const struct wording *find_wording(const char *problem)
{
	for (size_t i = 0; i < sizeof(wordings) / sizeof(*wordings); i++)
		if (strcmp(wordings[i].problem, problem) == 0)
			return &wordings[i];
	return NULL;
}

/* Invalid character (not UTF-8). libyaml gives its offset only. */
static void report_reader(struct context *context, const yaml_parser_t *parser)
{
	struct position at = source_find_offset(context->source, parser->problem_offset);
	const char *bytes = context->source->bytes + at.offset;
	char text[96];
	const char *hint = "save the file as UTF-8";

	if (strstr(parser->problem, "control characters")) {
		snprintf(text, sizeof(text), "the control character 0x%02x is not allowed",
			 (unsigned)parser->problem_value);
		hint = "remove it";
	} else if (at.offset < context->source->size) {
		snprintf(text, sizeof(text), "the byte 0x%02x is not valid UTF-8",
			 (unsigned)(unsigned char)*bytes);
	} else {
		snprintf(text, sizeof(text), "%s", parser->problem);
	}
	report_place(context, CODE_ENCODING, at.line, at.column, hint, text);
}

/* A character that starts no token: a tab, or one that YAML reserves. */
static void report_start(struct context *context, const yaml_mark_t *tag)
{
	struct position at =
		source_find(context->source, (unsigned)tag->line + 1, (unsigned)tag->column + 1);
	char what = at.offset < context->source->size ? context->source->bytes[at.offset] : ' ';
	char text[64];

	if (what == '\t')
		snprintf(text, sizeof(text), "a tab is not allowed as indentation");
	else
		snprintf(text, sizeof(text), "an unquoted value cannot start with '%c'", what);
	report_place(context, CODE_YAML, at.line, at.column,
		     what == '\t' ? "indent with spaces" : "put the value in quotes", text);
}

static void report_syntax(struct context *context, const yaml_parser_t *parser)
{
	const yaml_mark_t *tag = &parser->problem_mark;
	const struct wording *wording = find_wording(parser->problem);
	const char *text = wording && wording->text ? wording->text : parser->problem;

	if (wording && wording->unclosed) {
		text = arena_printf(context->scratch, "%s before %s:%zu:%zu", text,
				    context->source->file, tag->line + 1, tag->column + 1);
		tag = &parser->context_mark;
	}
	report_place(context, CODE_YAML, (unsigned)tag->line + 1, (unsigned)tag->column + 1,
		     wording ? wording->hint : "check the YAML syntax here", text);
}

void yaml_report_error(struct context *context, const struct yaml_parser_s *parser)
{
	if (parser->error == YAML_READER_ERROR)
		report_reader(context, parser);
	else if (parser->error == YAML_MEMORY_ERROR || !parser->problem)
		report_place(context, CODE_TOO_MUCH, 0, 0, NULL,
			     "not enough memory to parse the file");
	else if (strcmp(parser->problem, "found character that cannot start any token") == 0)
		report_start(context, &parser->problem_mark);
	else
		report_syntax(context, parser);
}
