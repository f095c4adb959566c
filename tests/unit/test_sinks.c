/* For any name, reason or hint, no sink writes control characters or line ends, or allows an
 * injection into a shell, into Markdown or into XML. */
#include "cmd/graph/graph.h"
#include "cmd/help.h"
#include "cmd/output_ip.h"
#include "cmd/output_markdown.h"
#include "cmd/watch/log.h"
#include "cmd/watch/log_queue.h"
#include "lib/printable.h"
#include "lib/wrap.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

/* cmd/main.c defines these, and a main() of its own. */
const struct command *command_at(size_t index)
{
	(void)index;
	return NULL;
}

/* Each has an effect on a terminal or a parser; between letters. */
static const char *const hostile[] = {
	"a\nb",                  /* a line's end */
	"a\rb",                  /* back to its beginning */
	"a\tb\vc\fd",            /* */
	"a\x1b[2Jb",             /* empties the screen */
	"a\x1b]0;title\x07\x62", /* a terminal's title */
	"a\x7f\x62",             /* DEL */
	"a\xc2\x9b\x32Jb",       /* C1: CSI */
	"a\xc2\x85\x62",         /* U+0085 */
	"a\xe2\x80\xa8\x62",     /* U+2028 */
	"a\xe2\x80\xa9\x62",     /* U+2029 */
	"a\xef\xbb\xbf\x62",     /* U+FEFF */
	"a\xd8\x9c\x62",         /* U+061C */
	"a\xe2\x80\x8e\x62",     /* U+200E */
	"a\xe2\x80\x8f\x62",     /* U+200F */
	"a\xe2\x80\xaa\x62",     /* U+202A */
	"a\xe2\x80\xae\x62",     /* U+202E */
	"a\xe2\x81\xa6\x62",     /* U+2066 */
	"a\xe2\x81\xa9\x62",     /* U+2069 */
	"a\xef\xbf\xbe\x62",     /* U+FFFE */
	"a\xef\xbf\xbf\x62",     /* U+FFFF */
	"a\xf3\xa0\x81\x81\x62", /* U+E0041 */
	"a\xed\xa0\x80\x62",     /* half a surrogate */
	"a\xed\xb0\x80",         /* the other half, at the end */
	"a\xc0\x8a\x62",         /* a newline that is too long */
	"a\xe0\x80\x8a\x62",     /* */
	"a\xf0\x80\x80\x8a\x62", /* */
	"a\xf4\x90\x80\x80\x62", /* past the last */
	"a\xff\x62",             /* no UTF-8 */
	"a\xe2\x80",             /* cut */
	"\nrm -rf /; `id` $(id)",
	"' ; id ; '",
	"\n' ; id ; '\n",
};

#define N_HOSTILE (sizeof(hostile) / sizeof(hostile[0]))

static const char *const kept[] = {"web", "\xe5\xae\xb9\xe5\x99\xa8", "na\xc3\xafve",
				   "a b", "\xf0\x9f\x90\xb3",         "a\xe2\x80\x93\x62"};

struct written {
	FILE *stream;
	char *text;
	size_t size;
};

static struct written *begin(void)
{
	static struct written written;
	free(written.text);
	written = (struct written){0};
	written.stream = open_memstream(&written.text, &written.size);
	assert_non_null(written.stream);
	return &written;
}

/* Each of its lines is printable; checks their number. */
static void assert_lines(struct written *written, size_t expected)
{
	size_t lines = 0;
	fclose(written->stream);
	for (char *line = written->text, *end; *line; line = end + 1) {
		end = strchr(line, '\n');
		assert_non_null(end);
		*end = '\0';
		if (!text_printable(line, strlen(line)))
			fail_msg("not printable: %s", line);
		lines++;
		if (end + 1 == written->text + written->size)
			break;
	}
	if (expected)
		assert_int_equal(lines, expected);
}

static void is_in_output(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_HOSTILE - 2; i++) {
		char *copy = strdup(hostile[i]);
		text_make_printable(copy);
		assert_true(text_printable(copy, strlen(copy)));
		if (i < N_HOSTILE - 3)
			assert_false(text_printable(hostile[i], strlen(hostile[i])));
		assert_true(strlen(copy) <= strlen(hostile[i]));
		free(copy);
	}
	for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++)
		assert_true(text_printable(kept[i], strlen(kept[i])));
}

/* The planner's texts, with one of these names in every place. */
static const struct plan *plan_of(struct arena *arena, const char *name, enum action last)
{
	struct live_ns *ns = arena_alloc(arena, sizeof(*ns));
	struct link_spec *desired = arena_alloc(arena, sizeof(*desired));
	struct live_link *current = arena_alloc(arena, sizeof(*current));
	struct change *change = arena_alloc(arena, sizeof(*change));
	struct plan *plan = arena_alloc(arena, sizeof(*plan));
	ns->name = name;
	const struct owner_tag tag = {
		.role = ROLE_ATTACH, .set = name, .container = name, .network = name};
	*desired = (struct link_spec){.tag = tag,
				      .ns = ns,
				      .name = name,
				      .kind = KIND_MACVLAN,
				      .parent_name = name,
				      .alias = name};
	current->name = name;
	*change = (struct change){.field = FIELD_ALIAS, .from = name, .to = name};
	plan->arena = arena;
	plan->n_steps = (size_t)last + 1;
	struct step *steps = arena_alloc(arena, plan->n_steps * sizeof(*steps));
	plan->steps = steps;
	for (size_t i = 0; i < plan->n_steps; i++) {
		steps[i] = (struct step){.action = (enum action)i,
					 .tag = &desired->tag,
					 .name = name,
					 .ns = ns,
					 .desired = desired,
					 .current = current,
					 .changes = change,
					 .n_changes = 1};
		if (i >= ACTION_KEPT)
			steps[i].reason = steps[i].hint = name;
	}
	return plan;
}

static void text_is_clean(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_HOSTILE; i++) {
		__attribute__((cleanup(arena_cleanup))) struct arena *arena = arena_new();
		struct written *written = begin();
		const struct text text = {
			.out = written->stream, .verbose = true, .with_set = true};
		text_plan(&text, plan_of(arena, hostile[i], ACTION_REFUSED), NULL, TEXT_ALL);
		fputs(wrap(arena, WRAP_NEVER, "mvapply: error: ", 2, hostile[i]), written->stream);
		fputc('\n', written->stream);
		assert_lines(written, ACTION_REFUSED + 1 + 4 + 1);
	}
}

static void findings_are_clean(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_HOSTILE; i++) {
		__attribute__((cleanup(arena_cleanup))) struct arena *arena = arena_new();
		struct written *written = begin();
		const struct diag diag = {.place = {.file = hostile[i], .line = 1, .column = 1},
					  .text = hostile[i],
					  .hint = hostile[i]};
		fputs(diag_format(arena, &diag, WRAP_NEVER), written->stream);
		assert_lines(written, 2);
	}
}

static void markdown_is_clean(void **state)
{
	(void)state;
	const struct live live = {0};
	for (size_t i = 0; i < N_HOSTILE; i++) {
		__attribute__((cleanup(arena_cleanup))) struct arena *arena = arena_new();
		struct written *written = begin();
		const struct text text = {
			.out = written->stream, .verbose = true, .with_set = true};
		const struct plan *plan = plan_of(arena, hostile[i], ACTION_REFUSED);
		plan = plan_warn(
			plan,
			&(struct warning){.kind = WARNING_LOOKUP, .objects = {"web", hostile[i]}},
			arena);
		markdown_plan(&text, plan, &live);
		assert_lines(written, 1 + 3 + ACTION_REFUSED + 1 + 2);
	}
}

static void markdown_links_nothing(void **state)
{
	(void)state;
	static const char *const texts[][2] = {
		{"@octocat", "@<!-- -->octocat"},
		{"ops/team#12", "ops/team#<!-- -->12"},
		{"#1", "#<!-- -->1"},
		{"GH-1 gh-2", "GH-<!-- -->1 gh-<!-- -->2"},
		{"https://a.example/x", "https:<!-- -->//a.example/x"},
		{"WWW.a.example", "WWW<!-- -->.a.example"},
		{"a@b.example", "a@<!-- -->b.example"},
		{"!7 $8 %9 100% !", "!<!-- -->7 $<!-- -->8 %<!-- -->9 100% !"},
		{"<b>|`*_[x](y)~&amp;", "\\<b>\\|\\`\\*\\_\\[x\\](y)\\~\\&amp;"},
		{"172.16.86.2/24 -> eth0", "172.16.86.2/24 -> eth0"},
		{"\xe5\xae\xb9\xe5\x99\xa8\xe2\x80\xa8#1", "\xe5\xae\xb9\xe5\x99\xa8?#<!-- -->1"},
	};
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct written *written = begin();
		markdown_put(written->stream, texts[i][0]);
		fclose(written->stream);
		assert_string_equal(written->text, texts[i][1]);
	}
}

static void graphs_are_clean(void **state)
{
	(void)state;
	static void (*const writers[])(FILE *, const struct graph *) = {graph_mermaid, graph_dot,
									graph_svg};
	for (size_t i = 0; i < N_HOSTILE; i++)
		for (size_t w = 0; w < sizeof(writers) / sizeof(writers[0]); w++) {
			__attribute__((cleanup(arena_cleanup))) struct arena *arena = arena_new();
			struct graph_node nodes[2] = {{.title = hostile[i], .detail = hostile[i]},
						      {.kind = GRAPH_CONTAINER,
						       .title = hostile[i],
						       .detail = hostile[i]}};
			struct graph_edge edge = {.to = 1, .label = hostile[i]};
			const struct graph graph = {.arena = arena,
						    .nodes = nodes,
						    .n_nodes = 2,
						    .edges = &edge,
						    .n_edges = 1};
			struct written *written = begin();
			writers[w](written->stream, &graph);
			assert_lines(written, 0);
		}
}

/* Runs the commands with ip, nsenter and sysctl as functions without an effect. */
static void assert_harmless(const char *commands, const char *folder)
{
	char path[128];
	snprintf(path, sizeof(path), "cd %s && sh", folder);
	FILE *shell = popen(path, "w");
	assert_non_null(shell);
	fputs("ip() { :; }\nnsenter() { :; }\nsysctl() { :; }\n", shell);
	fputs(commands, shell);
	assert_int_equal(pclose(shell), 0);
	snprintf(path, sizeof(path), "%s/mark", folder);
	assert_int_not_equal(access(path, F_OK), 0);
}

static void commands_are_clean(void **state)
{
	(void)state;
	static const char *const shell[] = {
		"\ntouch mark\n",     "; touch mark;",    "$(touch mark)",
		"`touch mark`",       "'; touch mark; '", "&& touch mark",
		"\\\ntouch mark",     "| touch mark #",   "x\r\ntouch mark",
		"\"; touch mark; \"", "\xff\ntouch mark", "')\" ; touch mark ; \"",
	};
	char folder[] = "/tmp/mvapply-sinks.XXXXXX";
	const struct live live = {0};
	assert_non_null(mkdtemp(folder));
	for (size_t i = 0; i < N_HOSTILE + sizeof(shell) / sizeof(shell[0]); i++) {
		__attribute__((cleanup(arena_cleanup))) struct arena *arena = arena_new();
		const char *name = i < N_HOSTILE ? hostile[i] : shell[i - N_HOSTILE];
		struct written *written = begin();
		const struct text text = {.out = written->stream, .with_set = true};
		ip_plan(&text, plan_of(arena, name, ACTION_PENDING), &live, NULL);
		fflush(written->stream);
		char *commands = strdup(written->text);
		assert_lines(written, 0);
		assert_harmless(commands, folder);
		free(commands);
	}
	assert_int_equal(rmdir(folder), 0);
}

/* The commands print the name unchanged. */
static void quotes_keep_the_name(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_HOSTILE - 1; i++) {
		__attribute__((cleanup(arena_cleanup))) struct arena *arena = arena_new();
		char output[256] = "";
		FILE *shell = popen(
			arena_printf(arena, "printf %%s %s", shell_quote(arena, hostile[i])), "r");
		assert_non_null(shell);
		output[fread(output, 1, sizeof(output) - 1, shell)] = '\0';
		assert_int_equal(pclose(shell), 0);
		assert_string_equal(output, hostile[i]);
	}
}

static void log_is_clean(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_HOSTILE; i++) {
		char path[] = "/tmp/mvapply-log.XXXXXX", output[1024] = "";
		int file = mkstemp(path);
		struct log log = {.queue = log_queue_new(file)};
		struct error error = {.code = CODE_SYSTEM};
		snprintf(error.text, sizeof(error.text), "%s", hostile[i]);
		snprintf(error.hint, sizeof(error.hint), "%s", hostile[i]);
		log_error(&log, LEVEL_ERROR, NULL, &error);
		assert_int_equal(log_flush(&log), -1);
		ssize_t size = pread(file, output, sizeof(output) - 1, 0);
		log_free(&log);
		close(file);
		unlink(path);
		assert_true(size > 0 && output[size - 1] == '\n');
		assert_true(text_printable(output, (size_t)size - 1));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(is_in_output),           cmocka_unit_test(text_is_clean),
		cmocka_unit_test(findings_are_clean),     cmocka_unit_test(markdown_is_clean),
		cmocka_unit_test(markdown_links_nothing), cmocka_unit_test(graphs_are_clean),
		cmocka_unit_test(commands_are_clean),     cmocka_unit_test(quotes_keep_the_name),
		cmocka_unit_test(log_is_clean),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
