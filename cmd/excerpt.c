#include "cmd/excerpt.h"

#include "lib/cleanup.h"

#include <stdlib.h>
#include <string.h>

struct cuts {
	struct arena *arena;
	struct service_cut *items;
	size_t count;
};

/* Entries behind each other are one piece. */
static void cut_add(struct cuts *cuts, const struct container *container)
{
	const uint32_t file = service_file_hash(container->place.file);
	const struct extent *extent = &container->extent;
	struct service_cut *last = cuts->count ? &cuts->items[cuts->count - 1] : NULL;
	if (last && last->file == file && last->end == extent->begin)
		last->end = extent->end;
	else
		*array_push(cuts->arena, cuts->items, cuts->count) =
			(struct service_cut){file, extent->begin, extent->end};
}

struct service_cut *excerpt_cuts(const struct desired *desired,
				 const struct service_container *starting, struct arena *arena,
				 size_t *ret_count)
{
	struct cuts cuts = {.arena = arena};
	for (size_t s = 0; s < desired->n_sets; s++)
		for (size_t i = 0; i < desired->sets[s].n_containers; i++) {
			const struct container *container = &desired->sets[s].containers[i];
			if (container->extent.end && !service_container_is(starting, container))
				cut_add(&cuts, container);
		}
	*ret_count = cuts.count;
	return cuts.items;
}

/* The text that is read, and the one that is written. */
struct cutting {
	const char *from, *end;
	uint32_t index; /* of `from`, in characters */
	char *to;
};

static int cut_compare(const void *a, const void *b)
{
	const struct service_cut *left = a, *right = b;
	return left->begin < right->begin ? -1 : left->begin > right->begin;
}

/* UTF-8: the other bytes of a character are 10xxxxxx. */
static bool begins_character(char byte)
{
	return ((unsigned char)byte & 0xc0) != 0x80;
}

/* Goes on to the character with the index, or to the end. Returns where it was. */
static const char *go_to(struct cutting *cutting, uint32_t index)
{
	const char *begin = cutting->from;
	while (cutting->from < cutting->end &&
	       (cutting->index < index || !begins_character(*cutting->from)))
		cutting->index += begins_character(*cutting->from++);
	return begin;
}

static void copy_until(struct cutting *cutting, uint32_t index)
{
	const char *begin = go_to(cutting, index);
	const size_t size = (size_t)(cutting->from - begin);
	memcpy(cutting->to, begin, size);
	cutting->to += size;
}

struct input excerpt_cut(const struct input *input, const struct service_cut *cuts, size_t count,
			 struct arena *arena)
{
	const uint32_t file = service_file_hash(input->file);
	char *bytes = arena_alloc(arena, input->size + 1);
	struct cutting cutting = {
		.from = input->bytes, .end = input->bytes + input->size, .to = bytes};
	for (size_t i = 0; i < count; i++) {
		if (cuts[i].file != file)
			continue;
		copy_until(&cutting, cuts[i].begin);
		(void)go_to(&cutting, cuts[i].end);
	}
	copy_until(&cutting, UINT32_MAX);
	return (struct input){
		.file = input->file, .bytes = bytes, .size = (size_t)(cutting.to - bytes)};
}

struct input *excerpt_make(const struct input *inputs, size_t count, uint64_t content,
			   const struct service_container *container, struct arena *arena)
{
	cleanup_free struct service_cut *cuts = NULL;
	const size_t n_cuts = service_query_cuts(content, container, &cuts);
	if (!n_cuts)
		return NULL;
	qsort(cuts, n_cuts, sizeof(*cuts), cut_compare);
	struct input *excerpt = arena_alloc(arena, count * sizeof(*excerpt));
	for (size_t i = 0; i < count; i++)
		excerpt[i] = excerpt_cut(&inputs[i], cuts, n_cuts, arena);
	return excerpt;
}
