#include "convert/yaml_tree.h"

#include "convert/yaml_tree_internal.h"
#include "lib/json_text.h"

#include <stdarg.h>
#include <string.h>

static void append(struct tree *to, struct tree *child)
{
	if (to->last)
		to->last->next = child;
	else
		to->first = child;
	to->last = child;
}

static struct tree *append_new(struct tree *to, const char *key, enum tree_kind kind)
{
	struct tree *tree = arena_alloc(to->arena, sizeof(*tree));
	*tree = (struct tree){
		.arena = to->arena, .kind = kind, .key = key ? arena_strdup(to->arena, key) : NULL};
	append(to, tree);
	return tree;
}

struct tree *tree_new(struct arena *arena)
{
	struct tree *tree = arena_alloc(arena, sizeof(*tree));
	*tree = (struct tree){.arena = arena, .kind = TREE_MAP};
	return tree;
}

struct tree *tree_map(struct tree *to, const char *key)
{
	return append_new(to, key, TREE_MAP);
}

struct tree *tree_list(struct tree *to, const char *key)
{
	return append_new(to, key, TREE_LIST);
}

void tree_text(struct tree *to, const char *key, const char *text)
{
	append_new(to, key, TREE_TEXT)->text = arena_strdup(to->arena, text);
}

void tree_number(struct tree *to, const char *key, long long number)
{
	append_new(to, key, TREE_NUMBER)->number = number;
}

void tree_bool(struct tree *to, const char *key, bool value)
{
	append_new(to, key, TREE_BOOL)->number = value;
}

__attribute__((format(printf, 2, 0))) static struct tree *
comment_new(struct arena *arena, const char *format, va_list args)
{
	char text[1024];
	vsnprintf(text, sizeof(text), format, args);
	/* A line break or a control character would end the comment. */
	for (char *at = text; *at; at++)
		if ((unsigned char)*at < 0x20 || *at == 0x7f)
			*at = ' ';
	struct tree *comment = arena_alloc(arena, sizeof(*comment));
	*comment = (struct tree){
		.arena = arena, .kind = TREE_COMMENT, .text = arena_strdup(arena, text)};
	return comment;
}

void tree_comment(struct tree *to, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	append(to, comment_new(to->arena, format, args));
	va_end(args);
}

void tree_comment_before(struct tree *to, struct tree *child, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	struct tree *comment = comment_new(to->arena, format, args);
	va_end(args);
	struct tree **link = &to->first;
	while (*link && *link != child)
		link = &(*link)->next;
	if (!*link) {
		append(to, comment);
		return;
	}
	comment->next = child;
	*link = comment;
}

bool tree_has(const struct tree *map, const char *key)
{
	for (const struct tree *child = map->first; child; child = child->next)
		if (child->key && strcmp(child->key, key) == 0)
			return true;
	return false;
}

bool tree_empty(const struct tree *tree)
{
	for (const struct tree *child = tree->first; child; child = child->next)
		if (child->kind != TREE_COMMENT)
			return false;
	return true;
}

static void count_visit(const char *place, const char *text, void *data)
{
	(void)place;
	(void)text;
	++*(size_t *)data;
}

size_t tree_comments(const struct tree *tree)
{
	size_t count = 0;
	tree_each_comment(tree, count_visit, &count);
	return count;
}

static const char *place_of(struct arena *arena, const char *place, const struct tree *child,
			    size_t index)
{
	if (!child->key)
		return arena_printf(arena, "%s[%zu]", place, index);
	return *place ? arena_printf(arena, "%s.%s", place, child->key) : child->key;
}

static void visit_comments(const struct tree *tree, const char *place, struct arena *arena,
			   tree_visit *visit, void *data)
{
	size_t index = 0;
	for (const struct tree *child = tree->first; child; child = child->next) {
		if (child->kind == TREE_COMMENT)
			visit(place, child->text, data);
		else if (child->first)
			visit_comments(child, place_of(arena, place, child, index), arena, visit,
				       data);
		index += child->kind != TREE_COMMENT;
	}
}

void tree_each_comment(const struct tree *tree, tree_visit *visit, void *data)
{
	__attribute__((cleanup(arena_cleanup))) struct arena *arena = arena_new();
	visit_comments(tree, "", arena, visit, data);
}

static json_t *json_children(const struct tree *tree)
{
	json_t *json = tree->kind == TREE_MAP ? json_object() : json_array();
	for (const struct tree *child = tree->first; child; child = child->next) {
		if (child->kind == TREE_COMMENT)
			continue;
		if (tree->kind == TREE_MAP)
			json_put(json, child->key, tree_json(child));
		else
			json_push(json, tree_json(child));
	}
	return json;
}

json_t *tree_json(const struct tree *tree)
{
	switch (tree->kind) {
	case TREE_TEXT:
		return json_text(tree->text);
	case TREE_NUMBER:
		return json_integer(tree->number);
	case TREE_BOOL:
		return json_boolean(tree->number != 0);
	case TREE_MAP:
	case TREE_LIST:
		return json_children(tree);
	case TREE_COMMENT:
		break;
	}
	return json_null();
}
