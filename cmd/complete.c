/* `mvapply complete -- WORD...`: completion candidates for the shells (dist/completion/). Each line
 * is a candidate, a tab and its description; the line ":path" requests file names. */
#include "cmd/commands.h"
#include "cmd/exit.h"
#include "cmd/help.h"
#include "cmd/input.h"
#include "cmd/reference/reference.h"
#include "lib/error_codes.h"
#include "reconcile/observe/observe.h"
#include "schema/hosts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct line {
	struct arena *arena;
	const char **words; /* the last one is the incomplete one */
	size_t count;
	const struct command *command;
	const char *prefix; /* prefix in the last word that every candidate has */
	const char *lead;   /* text before the value in the last word: "--host=" */
};

static void offer(const struct line *line, const char *candidate, const char *description)
{
	if (strncmp(candidate, line->prefix, strlen(line->prefix)) != 0)
		return;
	printf("%s%s%s%s\n", line->lead, candidate, description ? "\t" : "",
	       description ? description : "");
}

static void offer_commands(const struct line *line)
{
	const struct command *command;
	for (size_t i = 0; (command = command_at(i)); i++)
		offer(line, command->name, command->summary);
}

static void offer_options(const struct line *line)
{
	struct option_text option;
	for (size_t at = 0; options_next(line->command, &at, &option);)
		offer(line, arena_printf(line->arena, "--%s", option.name), option.summary);
}

static void offer_keys(const struct line *line)
{
	struct references all = references_all(line->arena);
	for (size_t i = 0; i < all.count; i++)
		offer(line, all.items[i].path, all.items[i].key->description);
	const struct code_text *entry;
	char code[CODE_TEXT_SIZE];
	for (size_t i = 0; (entry = code_at(i)); i++)
		offer(line, code_format(entry->code, code), entry->title);
}

/* Not standard input, which is the terminal; the shell has not expanded the `~`. */
static void file_add(const struct line *line, struct options *files, const char *path)
{
	const char *home = getenv("HOME");
	if (strncmp(path, "~/", 2) == 0 && home)
		path = arena_printf(line->arena, "%s%s", home, path + 1);
	if (*path && strcmp(path, "-") != 0)
		*array_push(line->arena, files->files, files->n_files) = path;
}

/* -f PATH, -fPATH, --file PATH, --file=PATH, which bash splits into three words. */
static void files_find(const struct line *line, struct options *files)
{
	for (size_t i = 0; i + 1 < line->count; i++) {
		const char *word = line->words[i];
		bool longer = strcmp(word, "--file") == 0;
		if (strncmp(word, "--file=", strlen("--file=")) == 0)
			file_add(line, files, word + strlen("--file="));
		else if (strncmp(word, "-f", 2) == 0 && word[2])
			file_add(line, files, word + 2);
		else if (longer && i + 3 < line->count && strcmp(line->words[i + 1], "=") == 0)
			file_add(line, files, line->words[i + 2]);
		else if ((longer || strcmp(word, "-f") == 0) && i + 2 < line->count)
			file_add(line, files, line->words[i + 1]);
	}
}

/* Including the files that are unreadable at the moment. */
static bool files_given(const struct line *line)
{
	for (size_t i = 0; i + 1 < line->count; i++)
		if (strncmp(line->words[i], "-f", 2) == 0 ||
		    strncmp(line->words[i], "--file", strlen("--file")) == 0)
			return true;
	return false;
}

/* The declarations of the line's files, or NULL. */
static struct desired *line_files(const struct line *line)
{
	struct options options = {.arena = line->arena, .insecure = true};
	struct diags diags;
	files_find(line, &options);
	if (!options.n_files)
		return NULL;
	diags_init(&diags);
	struct desired *desired = input_load(&options, NULL, &diags, &(uint64_t){0});
	diags_free(&diags);
	return desired;
}

/* The limit of candidates: a container can create any number of names. */
#define NAMES_MAX 100

/* Each name once: many networks name the same host, and many links the same set. */
struct names {
	const char **items;
	size_t count;
};

static void name_note(const struct line *line, struct names *names, const char *name,
		      const char *description)
{
	for (size_t i = 0; i < names->count; i++)
		if (strcmp(names->items[i], name) == 0)
			return;
	if (names->count == NAMES_MAX)
		return;
	*array_push(line->arena, names->items, names->count) = name;
	offer(line, name, description);
}

static void offer_hosts(const struct line *line, struct names *names, const struct hosts *hosts)
{
	for (size_t i = 0; i < hosts->count; i++)
		if (!host_is_glob(hosts->items[i]))
			name_note(line, names, hosts->items[i], "a host of the files");
}

static void offer_set_hosts(const struct line *line, const struct set *set)
{
	struct names names = {0};
	for (size_t i = 0; i < set->n_networks; i++)
		offer_hosts(line, &names, &set->networks[i].hosts);
	for (size_t i = 0; i < set->n_containers; i++)
		offer_hosts(line, &names, &set->containers[i].hosts);
}

static void offer_link_sets(const struct line *line, struct names *names,
			    const struct owner_tag *tag)
{
	if (tag->set)
		name_note(line, names, tag->set, "a set that is live");
	for (size_t i = 0; i < tag->n_sets; i++)
		name_note(line, names, tag->sets[i], "a set that is live");
}

/* Limited to objects that the user may read. */
static void offer_live_sets(const struct line *line)
{
	struct error ignored;
	struct names names = {0};
	struct live *live = observe_owner_tags(NULL, &ignored);
	for (size_t i = 0; live && i < live->n_namespaces; i++)
		for (size_t k = 0; k < live->namespaces[i]->n_links; k++)
			offer_link_sets(line, &names, &live->namespaces[i]->links[k].tag);
	live_free(live);
}

/* Names of the files: of hosts for --host, of sets for --name. */
static void offer_names(const struct line *line, bool of_sets)
{
	struct desired *desired = line_files(line);
	for (size_t i = 0; desired && i < desired->n_sets; i++) {
		if (of_sets)
			offer(line, desired->sets[i].name, "a set of the files");
		else
			offer_set_hosts(line, &desired->sets[i]);
	}
	desired_free(desired);
}

/* The words of "text|json". */
static void offer_words(const struct line *line, const char *words)
{
	for (size_t length; *words; words += length + (words[length] == '|')) {
		length = strcspn(words, "|");
		offer(line, arena_strndup(line->arena, words, length), NULL);
	}
}

static void offer_values(const struct line *line, const struct option_text *option)
{
	static const char *const paths[] = {"PATH", "FILE", "PLAN"};
	for (size_t i = 0; i < sizeof(paths) / sizeof(*paths); i++)
		if (strcmp(option->argument, paths[i]) == 0)
			puts(":path");
	const bool of_sets = strcmp(option->name, "name") == 0;
	if (of_sets && !files_given(line))
		offer_live_sets(line);
	else if (of_sets || strcmp(option->name, "host") == 0)
		offer_names(line, of_sets);
	else if (strchr(option->argument, '|') && !strchr(option->argument, '%'))
		offer_words(line, option->argument);
}

/* The option that matches the word up to its '='. */
static bool option_find(const struct line *line, const char *word, struct option_text *ret)
{
	size_t length = strcspn(word, "=");
	for (size_t at = 0; options_next(line->command, &at, ret);) {
		if (!ret->argument)
			continue;
		if (ret->letter && word[0] == '-' && word[1] == ret->letter && !word[2])
			return true;
		if (strncmp(word, "--", 2) == 0 && length == strlen(ret->name) + 2 &&
		    strncmp(word + 2, ret->name, length - 2) == 0)
			return true;
	}
	return false;
}

/* --host=VALUE as one word. */
static bool complete_attached(struct line *line, const char *word)
{
	struct option_text option;
	const char *equals = strchr(word, '=');
	if (strncmp(word, "--", 2) != 0 || !equals || !option_find(line, word, &option))
		return false;
	line->prefix = equals + 1;
	line->lead = arena_strndup(line->arena, word, (size_t)(line->prefix - word));
	offer_values(line, &option);
	return true;
}

/* Whether the last word is an option's value; bash makes a separate word of the '='. */
static bool complete_value(struct line *line)
{
	struct option_text option;
	size_t last = line->count - 1, at = last;
	if (complete_attached(line, line->words[last]))
		return true;
	bool begun = strcmp(line->words[last], "=") == 0;
	bool equals = begun || (last && strcmp(line->words[last - 1], "=") == 0);
	at -= equals && !begun;
	if (begun)
		line->prefix = "";
	if (!at || !option_find(line, line->words[at - 1], &option) ||
	    (!option.argument_required && !equals))
		return false;
	offer_values(line, &option);
	return true;
}

static void offer_path(const struct line *line)
{
	(void)line;
	puts(":path");
}

static void offer_sources(const struct line *line)
{
	static const char *const sources[] = {"docker", "podman", "compose", "cni", "quadlet"};
	if (line->count > 2)
		puts(":path");
	for (size_t i = 0; line->count == 2 && i < sizeof(sources) / sizeof(*sources); i++)
		offer(line, sources[i], NULL);
}

/* The words that are not options. */
static void complete_word(const struct line *line)
{
	static const struct {
		const char *command;
		void (*offer)(const struct line *);
	} offers[] = {
		{"apply", offer_path},
		{"explain", offer_keys},
		{"help", offer_commands},
		{"import", offer_sources},
	};
	for (size_t i = 0; i < sizeof(offers) / sizeof(*offers); i++)
		if (strcmp(line->command->name, offers[i].command) == 0)
			offers[i].offer(line);
}

int command_complete(const struct options *options)
{
	struct line line = {
		.arena = options->arena,
		.words = options->words,
		.count = options->n_words,
		.lead = "",
	};
	if (!line.count)
		return EXIT_CONVERGED;
	line.prefix = line.words[line.count - 1];
	bool first = line.count == 1;
	line.command = command_find(*line.words[0] == '-' ? "apply" : line.words[0]);
	if (first && *line.prefix != '-') {
		offer_commands(&line);
		return EXIT_CONVERGED;
	}
	if (!line.command || complete_value(&line))
		return EXIT_CONVERGED;
	if (*line.prefix == '-')
		offer_options(&line);
	else
		complete_word(&line);
	return EXIT_CONVERGED;
}
