#include "schema/decode.h"

#include "schema/name_rules.h"

#include <string.h>

void decode_wrong(const struct reading *reading, enum code code, const char *hint,
		  const char *problem)
{
	const struct node *node = reading->node;
	if (node->kind == NODE_SCALAR && *node->text && !node_null(node))
		report(reading->context, code, reading->scope, node, hint, "%s %s",
		       shown(reading->context, node->text), problem);
	else
		report(reading->context, code, reading->scope, node, hint, "%s", problem);
	reading->node->bad = true;
}

bool decode_name(struct context *context, const struct scope *scope, enum key_type type,
		 struct node *name)
{
	const char *hint = NULL;
	const char *problem = text_problem(type, name->text, &hint);
	if (!problem)
		return true;
	report(context, CODE_NAME, scope, name, hint, "has a key %s that %s",
	       shown(context, name->text), problem);
	name->bad = true;
	return false;
}

/* A struct's member. */
static void *member(void *base, size_t offset)
{
	return (unsigned char *)base + offset;
}

static void put_place(const struct context *context, const struct object *object,
		      const struct node *at, void *target)
{
	if (object->placed)
		*(struct place *)member(target, object->place) = place_of(context, at);
}

static void decode_value(const struct reading *reading);

/* An entry or item that is no map of its own, such as NAME: ADDRESS. */
static void decode_plain(const struct reading *reading, const struct object *object,
			 const struct scope *scope, const struct node *at, struct node *value,
			 void *element)
{
	decode_value(&(struct reading){
		.context = reading->context,
		.scope = scope,
		.key = object->keys,
		.node = value,
		.at = at,
		.target = member(element, object->keys->offset),
	});
}

static void decode_map(const struct reading *reading)
{
	const struct object *object = reading->key->object;
	struct context *context = reading->context;
	unsigned char *element = arena_alloc(context->arena, reading->node->count * object->size);
	memcpy(reading->target, &element, sizeof(element));

	for (struct node *name = reading->node->first; name; name = name->next->next) {
		struct scope scope = {.up = reading->scope, .name = name->text};
		decode_name(context, reading->scope, object->name_type, name);
		*(const char **)member(element, object->name_offset) =
			arena_strdup(context->arena, name->text);
		put_place(context, object, name, element);
		if (object->plain)
			decode_plain(reading, object, &scope, name, name->next, element);
		else
			decode_object(context, &scope, object, name, name->next, element);
		element += object->size;
	}
}

static void decode_list(const struct reading *reading)
{
	const struct object *object = reading->key->object;
	struct context *context = reading->context;
	unsigned char *element = arena_alloc(context->arena, reading->node->count * object->size);
	memcpy(reading->target, &element, sizeof(element));

	struct scope scope = {.up = reading->scope};
	for (struct node *item = reading->node->first; item; item = item->next) {
		if (object->plain)
			decode_plain(reading, object, &scope, item, item, element);
		else
			decode_object(context, &scope, object, item, item, element);
		element += object->size;
		scope.index++;
	}
}

static void decode_switch(const struct reading *reading, bool *ret_has)
{
	bool on = strcmp(reading->node->text, "true") == 0;
	if (!on && strcmp(reading->node->text, "false") != 0)
		decode_wrong(reading, CODE_WRONG_KIND, "write its keys, or `true` for its defaults",
			     "is not a map of keys to values");
	*ret_has = on;
	put_place(reading->context, reading->key->object, reading->at, reading->target);
}

static const char *kind_text(const struct node *node)
{
	if (node_null(node))
		return "nothing";
	switch ((enum node_kind)node->kind) {
	case NODE_SCALAR:
		return "a single value";
	case NODE_SEQUENCE:
		return node->count ? "a list" : "an empty list";
	case NODE_MAPPING:
		return node->count ? "a map" : "an empty map";
	}
	return "";
}

/* What a key wants where something else stands. */
static void wrong_kind(const struct reading *reading, const char *want)
{
	const struct key *key = reading->key;
	const char *hint = NULL;
	if (key->example && !reading->scope->name)
		hint = hint_text(reading->context, "write one such as %s", key->example);
	else if (key->example)
		hint = hint_text(reading->context, "write `%s: %s`%s", reading->scope->name,
				 key->example, key->required ? "" : ", or remove the key");
	else if (node_null(reading->node))
		hint = "write a value, or remove the key";
	if (node_null(reading->node))
		decode_wrong(reading, CODE_EMPTY, hint, "is empty");
	else
		decode_wrong(reading, CODE_WRONG_KIND, hint,
			     hint_text(reading->context, "is not %s, but %s", want,
				       kind_text(reading->node)));
}

static bool count_fits(const struct reading *reading)
{
	const struct key *key = reading->key;
	const struct node *node = reading->node;
	if (node->count < key->min)
		wrong_kind(reading, "a list with entries");
	else if (key->max && node->count > key->max)
		decode_wrong(reading, CODE_TOO_MUCH, NULL,
			     hint_text(reading->context, "has %u entries, more than %lld",
				       node->count, key->max));
	return !node->bad;
}

static void decode_collection(const struct reading *reading, void *object)
{
	const struct key *key = reading->key;
	const struct node *node = reading->node;
	bool fits = node->kind == (key->type == KEY_LIST ? NODE_SEQUENCE : NODE_MAPPING);

	if (key->later && !key->required && node_null(node))
		return;
	if (!fits && !(key->type == KEY_NAMES && node->kind == NODE_SEQUENCE)) {
		wrong_kind(reading, key->type == KEY_LIST    ? "a list"
				    : key->type == KEY_NAMES ? "a list or map"
							     : "a map");
		return;
	}
	if (key->later) {
		*(const struct node **)reading->target = node;
		return;
	}
	if (key->type == KEY_LIST && !count_fits(reading))
		return;
	*(size_t *)member(object, key->count) = node->count;
	if (key->type == KEY_LIST)
		decode_list(reading);
	else
		decode_map(reading);
}

static void decode_value(const struct reading *reading)
{
	if (reading->node->bad)
		return;
	if (reading->node->kind != NODE_SCALAR || node_null(reading->node))
		wrong_kind(reading, "a single value");
	else
		decode_scalar(reading);
}

/* One prefix, or a map. */
static void decode_range(struct reading reading, void *object)
{
	const struct key *key = reading.key;
	if (reading.node->kind == NODE_MAPPING && reading.node->count) {
		reading.target = member(object, key->map);
		*(size_t *)member(object, key->count) = reading.node->count;
		decode_map(&reading);
	} else if (reading.node->kind != NODE_SCALAR) {
		wrong_kind(&reading, "a prefix or a map of hosts to prefixes");
	} else {
		decode_value(&reading);
	}
}

/* The value of one key of an object. */
static void decode_key(const struct reading *reading, void *object)
{
	const struct key *key = reading->key;
	bool ignored = false;
	bool *has = key->has ? member(object, key->has) : &ignored;

	switch (key->type) {
	case KEY_OBJECT:
		if (key->or_bool && reading->node->kind == NODE_SCALAR &&
		    !node_null(reading->node)) {
			decode_switch(reading, has);
			return;
		}
		if (node_null(reading->node)) {
			wrong_kind(reading, "a map");
			return;
		}
		decode_object(reading->context, reading->scope, key->object, reading->at,
			      reading->node, reading->target);
		break;
	case KEY_LIST:
	case KEY_MAP:
	case KEY_NAMES:
		decode_collection(reading, object);
		break;
	case KEY_RANGE:
		decode_range(*reading, object);
		break;
	default:
		decode_value(reading);
	}
	*has = !reading->node->bad;
}

static void unknown_key(struct context *context, const struct scope *scope,
			const struct object *object, const struct node *name)
{
	struct scope here = {.up = scope, .name = name->text};
	report(context, CODE_UNKNOWN_KEY, &here, name,
	       key_unknown_hint(object, name->text, context->scratch), "is an unknown key");
}

static void decode_entry(struct context *context, const struct scope *scope,
			 const struct object *object, struct node *name, void *target)
{
	const struct key *key = key_find(object, name->text);
	struct scope here = {.up = scope, .name = name->text};
	if (!key) {
		if (!object->extensions || strncmp(name->text, "x-", 2) != 0)
			unknown_key(context, scope, object, name);
		return;
	}
	if (name->next->bad)
		return;
	decode_key(
		&(struct reading){
			.context = context,
			.scope = &here,
			.key = key,
			.node = name->next,
			.at = name,
			.target = member(target, key->offset),
		},
		target);
}

/* Reports the keys that have to be there and are not. */
static void check_required(struct context *context, const struct scope *scope,
			   const struct object *object, const struct node *at,
			   const struct node *body)
{
	for (size_t i = 0; i < object->n_keys && !body->incomplete; i++) {
		const struct key *key = &object->keys[i];
		if (key->required && !node_get(body, key->name))
			report(context, CODE_MISSING_KEY, scope, at,
			       hint_text(context, "add `%s: %s`", key->name, key->example),
			       "has no %s", key->name);
	}
}

static const char *object_hint(struct context *context, const struct object *object,
			       const struct node *body)
{
	if (body->kind == NODE_SCALAR && !body->quoted && strchr(body->text, ':'))
		return "put a blank behind the ':' of a key";
	if (object->example)
		return hint_text(context, "write it as a map, such as %s", object->example);
	return key_list_hint(object, context->scratch);
}

void decode_object(struct context *context, const struct scope *scope, const struct object *object,
		   const struct node *at, struct node *body, void *target)
{
	put_place(context, object, at, target);
	if (body->bad)
		return;
	if (body->kind != NODE_MAPPING) {
		report(context, CODE_WRONG_KIND, scope, body, object_hint(context, object, body),
		       "%s%s", scope->up ? "" : "this document ",
		       node_null(body)
			       ? "is empty"
			       : hint_text(context, "is not a map of keys to values, but %s",
					   kind_text(body)));
		body->bad = true;
		return;
	}
	for (struct node *name = body->first; name; name = name->next->next)
		decode_entry(context, scope, object, name, target);
	check_required(context, scope, object, at, body);
}
