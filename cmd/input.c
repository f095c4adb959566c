#include "cmd/input.h"

#include "cmd/exit.h"
#include "cmd/output_json.h"
#include "cmd/output_text.h"
#include "lib/hash.h"
#include "lib/keyed_hash.h"
#include "schema/files.h"

#include <stdlib.h>
#include <unistd.h>

uint64_t input_hash(const struct options *options, const struct input *inputs, size_t count,
		    const struct diags *diags)
{
	uint64_t hash = keyed_hash_text(HASH_START, options->host ? options->host : "");
	for (size_t i = 0; i < count; i++) {
		hash = keyed_hash_text(hash, inputs[i].file);
		hash = keyed_hash(hash, inputs[i].bytes, inputs[i].size);
	}
	for (size_t i = 0; i < diags->count; i++)
		hash = keyed_hash_text(hash, diags->items[i].text);
	return hash;
}

/* sudo(8) sets the calling user, who can run anything as root. */
static uid_t sudo_user(void)
{
	const char *text = getenv("SUDO_UID");
	char *end;
	unsigned long user = text ? strtoul(text, &end, 10) : 0;
	return text && !*end && user < UINT32_MAX ? (uid_t)user : 0;
}

struct trust input_trust(const struct options *options)
{
	return (struct trust){.everybody = options->insecure || geteuid() != 0,
			      .user = sudo_user()};
}

int input_files(const struct options *options, const char *path, struct arena *arena,
		struct input **inputs, size_t *count, struct diags *diags)
{
	const struct trust trust = input_trust(options);
	return files_read(path, &trust, arena, inputs, count, diags);
}

int input_contents(const struct options *options, struct arena *arena, struct input **inputs,
		   size_t *count, struct diags *diags)
{
	int bad = 0;
	*inputs = NULL;
	*count = 0;
	for (size_t i = 0; i < options->n_files; i++)
		bad |= input_files(options, options->files[i], arena, inputs, count, diags);
	return bad;
}

struct desired *input_parse(const struct options *options, const struct input *inputs, size_t count,
			    int bad, struct diags *diags)
{
	struct desired *desired = load(inputs, count, options->host, diags);
	if (bad) {
		desired_free(desired);
		return NULL;
	}
	return desired;
}

struct desired *input_load(const struct options *options, const uint64_t *known,
			   struct diags *diags, uint64_t *ret_content)
{
	__attribute__((cleanup(arena_cleanup))) struct arena *arena = arena_new();
	struct input *inputs;
	size_t count;
	int bad = input_contents(options, arena, &inputs, &count, diags);
	*ret_content = input_hash(options, inputs, count, diags);
	if (known && *known == *ret_content) {
		diags->count = diags->omitted = 0;
		return NULL;
	}
	return input_parse(options, inputs, count, bad, diags);
}

void input_wrong(const struct options *options, const struct diags *diags)
{
	if (options->output == OUTPUT_JSON)
		json_finish(json_diags(diags), EXIT_USAGE);
	else
		text_diags(diags);
}

struct desired *input_read(const struct options *options)
{
	uint64_t ignored;
	struct diags diags;
	diags_init(&diags);
	struct desired *desired = input_load(options, NULL, &diags, &ignored);
	if (!desired)
		input_wrong(options, &diags);
	diags_free(&diags);
	return desired;
}

struct desired *input_keep(const struct options *options, struct arena *arena,
			   struct input **ret_inputs, size_t *ret_count)
{
	struct diags diags;
	diags_init(&diags);
	int bad = input_contents(options, arena, ret_inputs, ret_count, &diags);
	struct desired *desired = input_parse(options, *ret_inputs, *ret_count, bad, &diags);
	if (!desired)
		input_wrong(options, &diags);
	diags_free(&diags);
	return desired;
}
