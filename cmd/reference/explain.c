/* `mvapply explain [KEY]`: the reference of the input in the terminal, from the table of keys. */
#include "cmd/commands.h"
#include "cmd/exit.h"
#include "cmd/output.h"
#include "cmd/output_json.h"
#include "cmd/reference/reference.h"
#include "cmd/terminal.h"
#include "lib/did_you_mean.h"
#include "lib/error_codes.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define INDENT "    "

/* A paragraph, indented below the key. */
static void report(struct arena *arena, const char *text)
{
	puts(terminal_wrap(arena, stdout, INDENT, strlen(INDENT), text));
}

static void title(struct arena *arena, const char *name, const char *text)
{
	puts(terminal_wrap(arena, stdout, arena_printf(arena, "%s: ", name), strlen(INDENT), text));
}

static void explain_words(struct arena *arena, const struct key *key)
{
	for (const struct word *word = key->words; word && word->name; word++) {
		const char *first = arena_printf(arena, "      %-9s ", word->name);
		puts(terminal_wrap(arena, stdout, first, (unsigned)strlen(first),
				   word->description));
	}
}

static void explain_key(struct arena *arena, const struct reference *entry)
{
	const struct key *key = entry->key;
	title(arena, entry->path,
	      arena_printf(arena, "%s%s", reference_type(arena, key),
			   key->required ? ", required" : ""));
	report(arena, key->description);
	explain_words(arena, key);
	if (key->default_text)
		report(arena, arena_printf(arena, "without it: %s", key->default_text));
	if (key->example)
		report(arena, arena_printf(arena, "example: `%s: %s`", key->name, key->example));
	if (key->object && !key->object->plain)
		report(arena, key_list_hint(key->object, arena));
}

static json_t *json_key(struct arena *arena, const struct reference *entry)
{
	const struct key *key = entry->key;
	json_t *values = json_array();
	for (const struct word *word = key->words; word && word->name; word++)
		json_push(values,
			  json_pack("{s:s, s:s}", "value", word->name, "about", word->description));
	return json_pack("{s:s, s:s, s:s, s:s, s:b, s:o, s:s, s:o, s:o}", "path", entry->path,
			 "object", entry->object->where, "key", key->name, "type",
			 reference_type(arena, key), "required", key->required, "values", values,
			 "about", key->description, "otherwise", json_text(key->default_text),
			 "example", json_text(key->example));
}

/* The key's path with the user's names in place of the placeholders: networks.lan.vlan for
 * networks.NAME.vlan. */
static const char *path_named(struct arena *arena, const char *path, const char *word)
{
	const char *named = "";
	for (const char *dot = ""; *path; dot = ".") {
		const size_t length = strcspn(path, "."), own = strcspn(word, ".");
		const bool placeholder = isupper((unsigned char)*path) && own;
		named = arena_printf(arena, "%s%s%.*s", named, dot,
				     (int)(placeholder ? own : length), placeholder ? word : path);
		path += length + (path[length] == '.');
		word += own + (word[own] == '.');
	}
	return named;
}

static int unknown_key(const struct options *options, const struct references *all)
{
	const char *word = options->words[0];
	struct suggestion suggestion = {.text = word};
	for (size_t i = 0; i < all->count; i++) {
		suggestion_try(&suggestion, all->items[i].key->name);
		suggestion_try(&suggestion, path_named(options->arena, all->items[i].path, word));
	}
	return usage_error(options, CODE_EXPLAIN, "`mvapply explain` shows all of them",
			   "there is no key \"%s\"%s", word,
			   suggestion_text(options->arena, &suggestion));
}

static void explain_code(struct arena *arena, const struct code_text *entry)
{
	char code[CODE_TEXT_SIZE];
	title(arena, code_format(entry->code, code), entry->title);
	report(arena, entry->description);
}

static json_t *json_explanation(const struct code_text *entry)
{
	char code[CODE_TEXT_SIZE];
	return json_pack("{s:s, s:s, s:s}", "code", code_format(entry->code, code), "title",
			 entry->title, "about", entry->description);
}

/* The error codes with the prefix: MV0201, MV02, or MV for all. */
static int explain_codes(const struct options *options, const char *word)
{
	const struct code_text *entry;
	char code[CODE_TEXT_SIZE];
	json_t *list = json_array();
	for (size_t i = 0; (entry = code_at(i)); i++) {
		if (strncasecmp(code_format(entry->code, code), word, strlen(word)) != 0)
			continue;
		json_push(list, json_explanation(entry));
		if (options->output == OUTPUT_TEXT)
			explain_code(options->arena, entry);
	}
	bool found = json_array_size(list) > 0;
	json_t *document = json_pack("{s:o}", "codes", list);
	if (found && options->output == OUTPUT_JSON)
		return json_finish(document, EXIT_CONVERGED);
	json_decref(document);
	if (found)
		return EXIT_CONVERGED;
	return usage_error(options, CODE_EXPLAIN, "`mvapply explain MV` shows all of them",
			   "there is no code \"%s\"", word);
}

/* Parses a code in the form of an error, or shortened: "[MV0401]", "MV0401:", "0401"; NULL: the
 * word is a key. */
static const char *code_of(struct arena *arena, const char *word)
{
	const char *begin = word + strspn(word, "[(");
	const size_t length = strcspn(begin, "]):.,");
	const char *code = arena_strndup(arena, begin, length);
	if (length == 4 && strspn(code, "0123456789") == length)
		return arena_printf(arena, "MV%s", code);
	return strncasecmp(code, "MV", 2) == 0 ? code : NULL;
}

int command_explain(const struct options *options)
{
	const char *code = options->n_words ? code_of(options->arena, options->words[0]) : NULL;
	if (code)
		return explain_codes(options, code);
	struct arena *arena = options->arena;
	struct references all = references_all(arena);
	struct references found =
		options->n_words ? references_find(arena, &all, options->words[0]) : all;
	if (!found.count)
		return unknown_key(options, &all);

	json_t *list = json_array();
	for (size_t i = 0; i < found.count; i++) {
		if (options->output == OUTPUT_JSON)
			json_push(list, json_key(arena, &found.items[i]));
		else
			explain_key(arena, &found.items[i]);
	}
	json_t *document = json_pack("{s:o}", "keys", list);
	if (options->output == OUTPUT_JSON)
		return json_finish(document, EXIT_CONVERGED);
	json_decref(document);
	return EXIT_CONVERGED;
}
