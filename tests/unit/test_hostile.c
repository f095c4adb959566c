/* Malicious or very large input: a clear error, within limits of time and memory. */
#include "schema/files.h"
#include "schema/load.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED 20 /* the sanitizers' factor for time and memory */
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED 20
#endif
#endif
#ifndef SANITIZED
#define SANITIZED 1
#endif

#define MIB ((size_t)1 << 20)

/* PATIENCE is the factor where another processor is emulated (tests/builds/run). */
static unsigned slow(void)
{
	const char *patience = getenv("PATIENCE");
	return SANITIZED * (patience ? (unsigned)strtoul(patience, NULL, 10) : 1);
}

static const struct trust anybody = {.everybody = true};

/* A growing text. */
struct text {
	char *bytes;
	size_t size, room;
};

__attribute__((format(printf, 2, 3))) static void put(struct text *text, const char *format, ...)
{
	if (text->room - text->size < 512) {
		text->room = text->room * 2 + 4096;
		text->bytes = realloc(text->bytes, text->room);
		assert_non_null(text->bytes);
	}
	va_list args;
	va_start(args, format);
	text->size +=
		(size_t)vsnprintf(text->bytes + text->size, text->room - text->size, format, args);
	va_end(args);
}

static void repeat(struct text *text, const char *piece, size_t times)
{
	for (size_t i = 0; i < times; i++)
		put(text, "%s", piece);
}

/* CPU time, so that a busy machine has no influence. */
static double seconds(void)
{
	struct timespec now;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static size_t peak_memory(void)
{
	struct rusage usage;
	getrusage(RUSAGE_SELF, &usage);
	return (size_t)usage.ru_maxrss * 1024;
}

/* A child's report of a load: peak memory is known for a process only. */
struct outcome {
	bool loaded;
	size_t findings, omitted, attachments;
	unsigned line, column;
	char text[256];
	double seconds;
	size_t memory; /* bytes in addition to the input */
};

static void load_here(const struct text *text, struct outcome *outcome)
{
	struct input input = {"hostile.yaml", text->bytes, text->size};
	struct diags diags;
	size_t before = peak_memory();
	double start = seconds();

	diags_init(&diags);
	struct desired *desired = load(&input, 1, NULL, &diags);
	outcome->seconds = seconds() - start;
	outcome->memory = peak_memory() - before;
	outcome->loaded = desired != NULL;
	outcome->findings = diags.count;
	outcome->omitted = diags.omitted;
	for (size_t i = 0; desired && i < desired->sets[0].n_containers; i++)
		outcome->attachments += desired->sets[0].containers[i].n_attachments;
	if (diags.count) {
		outcome->line = diags.items[0].place.line;
		outcome->column = diags.items[0].place.column;
		snprintf(outcome->text, sizeof(outcome->text), "%s", diags.items[0].text);
	}
	desired_free(desired);
	diags_free(&diags);
}

static struct outcome try_load(struct text *text)
{
	struct outcome outcome = {0};
	int ends[2], status;
	assert_int_equal(pipe(ends), 0);
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		load_here(text, &outcome);
		_exit(write(ends[1], &outcome, sizeof(outcome)) != sizeof(outcome));
	}
	close(ends[1]);
	assert_int_equal(read(ends[0], &outcome, sizeof(outcome)), sizeof(outcome));
	close(ends[0]);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	free(text->bytes);
	return outcome;
}

/* Refused within a second and 64 MiB, with this finding first. */
static void assert_refused(struct text *text, unsigned line, unsigned column, const char *finding)
{
	struct outcome outcome = try_load(text);
	assert_false(outcome.loaded);
	assert_string_equal(outcome.text, finding);
	assert_int_equal(outcome.line, line);
	assert_int_equal(outcome.column, column);
	assert_true(outcome.seconds < 1 * slow());
	assert_true(outcome.memory < 64 * MIB * slow());
}

static void deep_flow(void **state)
{
	struct text text = {0};
	(void)state;
	repeat(&text, "[", MIB);
	assert_refused(&text, 1, 33, "the nesting is deeper than 32 levels");
}

static void deep_flow_maps(void **state)
{
	struct text text = {0};
	(void)state;
	repeat(&text, "{a: ", MIB / 4);
	assert_refused(&text, 1, 129, "the nesting is deeper than 32 levels");
}

static void deep_blocks(void **state)
{
	struct text text = {0};
	(void)state;
	for (int i = 0; i < 10000; i++)
		put(&text, "%*sa:\n", i % 400, "");
	for (int i = 0; i < 10000; i++)
		put(&text, "- ");
	assert_refused(&text, 33, 33, "the nesting is deeper than 32 levels");
}

static void deep_items(void **state)
{
	struct text text = {0};
	(void)state;
	repeat(&text, "- ", 10000);
	assert_refused(&text, 1, 65, "the nesting is deeper than 32 levels");
}

static void alias_bomb(void **state)
{
	struct text text = {0};
	(void)state;
	put(&text, "x-0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol, lol]\n");
	for (int i = 1; i < 10000; i++)
		put(&text, "x-%d: &a%d [*a%d, *a%d, *a%d, *a%d, *a%d, *a%d, *a%d, *a%d]\n", i, i,
		    i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1);
	assert_refused(&text, 1, 6, "anchors (&a0) are not supported");
}

static void many_values(void **state)
{
	struct text text = {0};
	(void)state;
	put(&text, "x-a: [");
	repeat(&text, "a,", 3 * MIB);
	struct outcome outcome = try_load(&text);
	assert_false(outcome.loaded);
	assert_string_equal(outcome.text, "the file has more than 2 million values");
	assert_true(outcome.memory < 128 * MIB * slow());
}

static void long_scalar(void **state)
{
	struct text text = {0};
	(void)state;
	put(&text, "name: ");
	repeat(&text, "aaaaaaaaaaaaaaaa", MIB / 4);
	struct outcome outcome = try_load(&text);
	assert_false(outcome.loaded);
	assert_non_null(strstr(outcome.text, "... is longer than 63 bytes"));
	assert_true(outcome.seconds < 2 * slow());
}

static void unclosed_quote(void **state)
{
	struct text text = {0};
	(void)state;
	put(&text, "name: \"");
	repeat(&text, "a\n", MIB / 2);
	assert_refused(&text, 1, 7, "the quote is not closed before hostile.yaml:524289:1");
}

static void findings_on_one_line(void **state)
{
	struct text text = {0};
	(void)state;
	put(&text, "{");
	for (size_t i = 0; i < 100000; i++)
		put(&text, "key%zu: 1, ", i);
	put(&text, "}");
	struct outcome outcome = try_load(&text);
	assert_int_equal(outcome.findings, 100);
	assert_int_equal(outcome.omitted, 100000 - 100);
	assert_string_equal(outcome.text, "key0 is an unknown key");
	assert_true(outcome.seconds < 2 * slow());
}

static void same_key(void **state)
{
	struct text text = {0};
	(void)state;
	repeat(&text, "name: lab\n", 100000);
	struct outcome outcome = try_load(&text);
	assert_int_equal(outcome.findings + outcome.omitted, 100000 - 1);
	assert_true(outcome.seconds < 1 * slow());
}

static void unknown_networks(void **state)
{
	struct text text = {0};
	(void)state;
	put(&text, "networks:\n");
	for (size_t i = 0; i < 2000; i++)
		put(&text, "  n%zu: {parent: e%zu, subnet: 10.0.0.0/8}\n", i, i);
	put(&text, "containers:\n");
	for (size_t i = 0; i < 20000; i++)
		put(&text, "  c%zu: {networks: [x%zu]}\n", i, i);
	struct outcome outcome = try_load(&text);
	assert_int_equal(outcome.findings + outcome.omitted, 20000);
	assert_true(outcome.seconds < 1 * slow());
}

/* Deterministic. */
static uint32_t next_random(uint32_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 17;
	*seed ^= *seed << 5;
	return *seed;
}

static void random_bytes(void **state)
{
	uint32_t seed = 4711;
	(void)state;
	for (unsigned round = 0; round < 2000; round++) {
		char bytes[512];
		size_t size = next_random(&seed) % sizeof(bytes);
		for (size_t i = 0; i < size; i++)
			bytes[i] = (char)next_random(&seed);
		struct text text = {.bytes = bytes, .size = size};
		struct outcome outcome = {0};
		load_here(&text, &outcome);
		assert_int_equal(outcome.loaded, outcome.findings == 0);
	}
}

static void random_megabyte(void **state)
{
	struct text text = {0};
	uint32_t seed = 42;
	(void)state;
	text.bytes = malloc(MIB);
	text.size = MIB;
	for (size_t i = 0; i < MIB; i++)
		text.bytes[i] = (char)next_random(&seed);
	struct outcome outcome = try_load(&text);
	assert_false(outcome.loaded);
	assert_true(outcome.line > 0);
	assert_true(outcome.seconds < 1 * slow());
}

/* A valid file with bytes changed, deleted and duplicated: never a crash, and a model or a
 * finding. */
static void mutated_file(void **state)
{
	static const char *const files[] = {"tests/input/good/every_key.yaml",
					    "tests/input/good/limits.yaml",
					    "tests/input/good/documents.yaml"};
	static const char nasty[] = "\n\t :-,[]{}&*!|>'\"%@`#?.0/\\\xff\xc3";
	uint32_t seed = 99;
	(void)state;
	for (unsigned round = 0; round < 6000; round++) {
		char bytes[8192];
		FILE *file = fopen(files[round % 3], "r");
		assert_non_null(file);
		struct text text = {.bytes = bytes, .size = fread(bytes, 1, 4096, file)};
		fclose(file);
		for (unsigned i = 0; i < 1 + round % 4; i++) {
			size_t at = next_random(&seed) % text.size;
			size_t tail = text.size - at - 1;
			switch (next_random(&seed) % 3) {
			case 0:
				bytes[at] = nasty[next_random(&seed) % (sizeof(nasty) - 1)];
				break;
			case 1:
				memmove(bytes + at, bytes + at + 1, tail);
				text.size--;
				break;
			case 2:
				memmove(bytes + at + 1, bytes + at, tail + 1);
				text.size++;
				break;
			}
		}
		struct outcome outcome = {0};
		load_here(&text, &outcome);
		assert_int_equal(outcome.loaded, outcome.findings == 0);
	}
}

/* That many containers, with one attachment each; `options` gives each an address and MAC. */
static struct outcome load_attachments(size_t count, bool options)
{
	struct text text = {0};
	put(&text, "networks:\n  lan: {parent: eth0, subnet: 10.0.0.0/8, gateway: 10.0.0.1}\n");
	put(&text, "containers:\n");
	for (size_t i = 0; i < count; i++) {
		put(&text, "  c%zu:\n    networks:\n", i);
		if (options)
			put(&text,
			    "      lan: {ipv4_address: 10.%zu.%zu.%zu, mac_address: "
			    "02:42:00:%02zx:%02zx:%02zx}\n",
			    i / 62500 + 1, i / 250 % 250, i % 250 + 1, i >> 16 & 255, i >> 8 & 255,
			    i & 255);
		else
			put(&text, "    - lan\n");
	}
	struct outcome outcome = try_load(&text);
	print_message("%zu attachments: %.0f ms, %zu MiB\n", count, outcome.seconds * 1e3,
		      outcome.memory / MIB);
	assert_true(outcome.loaded);
	assert_int_equal(outcome.attachments, count);
	return outcome;
}

static void ten_thousand_attachments(void **state)
{
	struct outcome outcome = load_attachments(10000, true);
	(void)state;
	assert_true(outcome.seconds < 0.2 * slow());
}

static void hundred_thousand_attachments(void **state)
{
	struct outcome outcome = load_attachments(100000, false);
	(void)state;
	assert_true(outcome.seconds < 1 * slow());
	assert_true(outcome.memory < 100 * MIB * slow());
}

static void hundred_thousand_with_options(void **state)
{
	struct outcome outcome = load_attachments(100000, true);
	(void)state;
	assert_true(outcome.seconds < 2 * slow());
	assert_true(outcome.memory < 128 * MIB * slow());
}

static void one_container_many_networks(void **state)
{
	struct text text = {0};
	(void)state;
	put(&text, "networks:\n");
	for (size_t i = 0; i < 20000; i++)
		put(&text, "  n%zu: {parent: e%zu, subnet: 10.0.0.0/8}\n", i, i);
	put(&text, "containers:\n  web:\n    networks:\n");
	for (size_t i = 0; i < 20000; i++)
		put(&text,
		    "      n%zu: {interface_name: i%zu, routes: [{to: 11.0.%zu.%zu, via: "
		    "10.0.0.1}]}\n",
		    i, i, i / 250, i % 250);
	struct outcome outcome = try_load(&text);
	assert_true(outcome.loaded);
	assert_true(outcome.seconds < 1 * slow());
}

static void one_network_many_subnets(void **state)
{
	struct text text = {0};
	(void)state;
	put(&text, "networks:\n  lan:\n    parent: eth0\n    subnets:\n");
	for (size_t i = 0; i < 20000; i++)
		put(&text, "    - subnet: 10.%zu.%zu.0/24\n", i / 250, i % 250);
	put(&text, "containers:\n");
	for (size_t i = 0; i < 20000; i++)
		put(&text, "  c%zu: {networks: {lan: {ipv4_address: 10.%zu.%zu.5}}}\n", i, i / 250,
		    i % 250);
	struct outcome outcome = try_load(&text);
	assert_true(outcome.loaded);
	assert_true(outcome.seconds < 1 * slow());
}

/* A folder of its own for each test of files. */
static int folder_make(void **state)
{
	static char path[64];
	snprintf(path, sizeof(path), "/tmp/mvapply-test-XXXXXX");
	*state = mkdtemp(path);
	return *state ? 0 : -1;
}

static int folder_remove(void **state)
{
	char command[128];
	snprintf(command, sizeof(command), "rm -rf %s", (const char *)*state);
	return system(command);
}

/* Reads `name` in the folder; expects this many inputs, and this text, or NULL: no finding. */
static void assert_read(const char *folder, const char *name, size_t expected, const char *finding)
{
	struct arena *arena = arena_new();
	struct input *inputs = NULL;
	struct diags diags;
	size_t count = 0;

	diags_init(&diags);
	int result = files_read(arena_printf(arena, "%s%s", folder, name), &anybody, arena, &inputs,
				&count, &diags);
	assert_int_equal(result, finding ? -1 : 0);
	assert_int_equal(diags.count, finding ? 1 : 0);
	if (finding)
		assert_string_equal(diags.items[0].text, finding);
	assert_int_equal(count, expected);
	diags_free(&diags);
	arena_free(arena);
}

static void make_file(const char *folder, const char *name, off_t size)
{
	char path[128];
	snprintf(path, sizeof(path), "%s%s", folder, name);
	int fd = open(path, O_WRONLY | O_CREAT, 0600);
	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, size), 0);
	close(fd);
}

static void huge_file(void **state)
{
	(void)state;
	make_file(*state, "/huge.yaml", (off_t)1 << 30);
	size_t before = peak_memory();
	assert_read(*state, "/huge.yaml", 0, "is larger than 32 MiB");
	assert_read(*state, "", 0, "is larger than 32 MiB");
	assert_true(peak_memory() - before < MIB * slow());
}

static void endless_pipe(void **state)
{
	int ends[2];
	(void)state;
	assert_int_equal(pipe(ends), 0);
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		static char bytes[65536];
		close(ends[0]);
		while (write(ends[1], bytes, sizeof(bytes)) > 0)
			;
		_exit(0);
	}
	close(ends[1]);
	char path[32];
	snprintf(path, sizeof(path), "/dev/fd/%d", ends[0]);
	assert_read(path, "", 0, "is larger than 32 MiB");
	close(ends[0]);
	waitpid(child, NULL, 0);
}

static void no_files(void **state)
{
	char path[128];
	snprintf(path, sizeof(path), "%s/fifo.yaml", (const char *)*state);
	assert_read(*state, "/nothing.yaml", 0, "cannot be opened: No such file or directory");
	assert_read(*state, "", 0, "contains no *.yaml or *.yml file");
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_read(*state, "/fifo.yaml", 0, "is a FIFO, not a file");
	assert_read(*state, "", 0, "is a FIFO, not a file");
	assert_read("/dev/zero", "", 0, "is a device, not a file");
}

static void folder_order(void **state)
{
	static const char *const names[] = {"/B.yaml", "/a.yml", "/a.yaml", "/.hidden.yaml",
					    "/c.txt",  "/.yaml", "/b.yaml~"};
	static const char *const order[] = {"B.yaml", "a.yaml", "a.yml"};
	struct arena *arena = arena_new();
	struct input *inputs = NULL;
	struct diags diags;
	size_t count = 0;

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		make_file(*state, names[i], 3);
	diags_init(&diags);
	assert_int_equal(files_read(*state, &anybody, arena, &inputs, &count, &diags), 0);
	assert_int_equal(count, 3);
	for (size_t i = 0; i < count; i++) {
		assert_string_equal(strrchr(inputs[i].file, '/') + 1, order[i]);
		assert_int_equal(inputs[i].size, 3);
	}
	diags_free(&diags);
	arena_free(arena);
}

static void folder_in_folder(void **state)
{
	char path[128];
	snprintf(path, sizeof(path), "%s/more.yaml", (const char *)*state);
	assert_int_equal(mkdir(path, 0700), 0);
	make_file(*state, "/a.yaml", 0);
	assert_read(*state, "", 1, "is a directory, not a file");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(deep_flow),
		cmocka_unit_test(deep_flow_maps),
		cmocka_unit_test(deep_blocks),
		cmocka_unit_test(deep_items),
		cmocka_unit_test(alias_bomb),
		cmocka_unit_test(many_values),
		cmocka_unit_test(long_scalar),
		cmocka_unit_test(unclosed_quote),
		cmocka_unit_test(findings_on_one_line),
		cmocka_unit_test(same_key),
		cmocka_unit_test(unknown_networks),
		cmocka_unit_test(random_bytes),
		cmocka_unit_test(random_megabyte),
		cmocka_unit_test(mutated_file),
		cmocka_unit_test(ten_thousand_attachments),
		cmocka_unit_test(hundred_thousand_attachments),
		cmocka_unit_test(hundred_thousand_with_options),
		cmocka_unit_test(one_container_many_networks),
		cmocka_unit_test(one_network_many_subnets),
		cmocka_unit_test_setup_teardown(huge_file, folder_make, folder_remove),
		cmocka_unit_test(endless_pipe),
		cmocka_unit_test_setup_teardown(no_files, folder_make, folder_remove),
		cmocka_unit_test_setup_teardown(folder_order, folder_make, folder_remove),
		cmocka_unit_test_setup_teardown(folder_in_folder, folder_make, folder_remove),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
