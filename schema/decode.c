#include "schema/decode.h"

#include "schema/name_rules.h"

#include <string.h>

void decode_wrong(const struct decode_state *state, enum code code, const char *hint,
		  const char *problem)
{
	const struct node *node = state->node;
	if (node->kind == NODE_SCALAR && *node->text && !node_null(node))
		report(state->context, code, state->scope, node, hint, "%s %s",
		       printable_text(state->context, node->text), problem);
	else
		report(state->context, code, state->scope, node, hint, "%s", problem);
	state->node->bad = true;
}

bool decode_name(struct context *context, const struct scope *scope, enum key_type type,
		 struct node *name)
{
	const char *hint = NULL;
	const char *problem = text_problem(type, name->text, &hint);
	if (!problem)
		return true;
	report(context, CODE_NAME, scope, name, hint, "has a key %s that %s",
	       printable_text(context, name->text), problem);
	name->bad = true;
	return false;
}

/* A member of a struct. */
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

static void decode_key(const struct decode_state *state, void *object);

/* An entry or item in short form, such as NAME: ADDRESS, instead of a map. */
static void decode_plain(const struct decode_state *state, const struct object *object,
			 const struct scope *scope, const struct node *at, struct node *value,
			 void *element)
{
	decode_key(
		&(struct decode_state){
			.context = state->context,
			.scope = scope,
			.key = object->keys,
			.node = value,
			.at = at,
			.target = member(element, object->keys->offset),
		},
		element);
}

static void decode_map(const struct decode_state *state)
{
	const struct object *object = state->key->object;
	struct context *context = state->context;
	unsigned char *element = arena_alloc(context->arena, state->node->count * object->size);
	memcpy(state->target, &element, sizeof(element));

	for (struct node *name = state->node->first; name; name = name->next->next) {
		struct scope scope = {.up = state->scope, .name = name->text};
		decode_name(context, state->scope, object->name_type, name);
		*(const char **)member(element, object->name_offset) =
			arena_strdup(context->arena, name->text);
		put_place(context, object, name, element);
		if (object->plain)
			decode_plain(state, object, &scope, name, name->next, element);
		else
			decode_object(context, &scope, object, name, name->next, element);
		element += object->size;
	}
}

static void decode_list(const struct decode_state *state)
{
	const struct object *object = state->key->object;
	struct context *context = state->context;
	unsigned char *element = arena_alloc(context->arena, state->node->count * object->size);
	memcpy(state->target, &element, sizeof(element));

	struct scope scope = {.up = state->scope};
	for (struct node *item = state->node->first; item; item = item->next) {
		if (object->plain)
			decode_plain(state, object, &scope, item, item, element);
		else
			decode_object(context, &scope, object, item, item, element);
		element += object->size;
		scope.index++;
	}
}

static void decode_switch(const struct decode_state *state, bool *ret_has)
{
	bool on = strcmp(state->node->text, "true") == 0;
	if (!on && strcmp(state->node->text, "false") != 0)
		decode_wrong(state, CODE_WRONG_KIND,
			     "write a map of its keys, or `true` for the defaults",
			     "is not a map of keys to values");
	*ret_has = on;
	put_place(state->context, state->key->object, state->at, state->target);
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

/* The hint: the type that the key requires. */
static void wrong_kind(const struct decode_state *state, const char *desired)
{
	const struct key *key = state->key;
	const char *hint = NULL;
	if (key->example && !state->scope->name)
		hint = hint_text(state->context, "write a value such as %s", key->example);
	else if (key->example)
		hint = hint_text(state->context, "write `%s: %s`%s", state->scope->name,
				 key->example, key->required ? "" : ", or remove the key");
	else if (node_null(state->node))
		hint = "write a value, or remove the key";
	if (node_null(state->node))
		decode_wrong(state, CODE_EMPTY, hint, "is empty");
	else
		decode_wrong(state, CODE_WRONG_KIND, hint,
			     hint_text(state->context, "is not %s, but %s", desired,
				       kind_text(state->node)));
}

static bool count_fits(const struct decode_state *state)
{
	const struct key *key = state->key;
	const struct node *node = state->node;
	if (node->count < key->min)
		wrong_kind(state, "a list with entries");
	else if (key->max && node->count > key->max)
		decode_wrong(state, CODE_TOO_MUCH, NULL,
			     hint_text(state->context, "has %u entries; the maximum is %lld",
				       node->count, key->max));
	return !node->bad;
}

static void decode_collection(const struct decode_state *state, void *object)
{
	const struct key *key = state->key;
	const struct node *node = state->node;
	bool fits = node->kind == (key->type == KEY_LIST ? NODE_SEQUENCE : NODE_MAPPING);

	if (key->deferred && !key->required && node_null(node))
		return;
	if (!fits && !(key->type == KEY_NAMES && node->kind == NODE_SEQUENCE)) {
		wrong_kind(state, key->type == KEY_LIST    ? "a list"
				  : key->type == KEY_NAMES ? "a list or map"
							   : "a map");
		return;
	}
	if (key->deferred) {
		*(const struct node **)state->target = node;
		return;
	}
	if (key->type == KEY_LIST && !count_fits(state))
		return;
	*(unsigned *)member(object, key->count) = (unsigned)node->count;
	if (key->type == KEY_LIST)
		decode_list(state);
	else
		decode_map(state);
}

static void decode_value(const struct decode_state *state)
{
	if (state->node->bad)
		return;
	if (state->node->kind != NODE_SCALAR || node_null(state->node))
		wrong_kind(state, "a single value");
	else
		decode_scalar(state);
}

static void decode_range_items(const struct decode_state *state, struct ip_ranges *ret)
{
	struct scope scope = {.up = state->scope};
	ret->items = arena_alloc(state->context->arena, state->node->count * sizeof(*ret->items));
	for (struct node *item = state->node->first; item; item = item->next) {
		struct decode_state one = *state;
		one.scope = &scope;
		one.node = item;
		one.at = item;
		one.target = &ret->items[scope.index];
		decode_value(&one);
		scope.index++;
		state->node->bad |= item->bad;
	}
	ret->count = state->node->bad ? 0 : (unsigned)state->node->count;
}

/* One range, a list, or a map. */
static void decode_ranges(struct decode_state state, void *object)
{
	const struct key *key = state.key;
	struct ip_ranges *ranges = state.target;
	if (state.node->kind == NODE_MAPPING && state.node->count && key->object) {
		state.target = member(object, key->map);
		*(unsigned *)member(object, key->count) = (unsigned)state.node->count;
		decode_map(&state);
	} else if (state.node->kind == NODE_SEQUENCE && state.node->count) {
		decode_range_items(&state, ranges);
	} else if (state.node->kind != NODE_SCALAR) {
		wrong_kind(&state, key->object ? "a range, a list or a map of hosts to ranges"
					       : "a range or a list");
	} else {
		ranges->items = arena_alloc(state.context->arena, sizeof(*ranges->items));
		state.target = ranges->items;
		decode_value(&state);
		ranges->count = !state.node->bad;
	}
}

/* The value of one key of an object. */
static void decode_key(const struct decode_state *state, void *object)
{
	const struct key *key = state->key;
	bool ignored = false;
	bool *has = key->has ? member(object, key->has) : &ignored;

	switch (key->type) {
	case KEY_OBJECT:
		if (key->or_bool && state->node->kind == NODE_SCALAR && !node_null(state->node)) {
			decode_switch(state, has);
			return;
		}
		if (node_null(state->node)) {
			wrong_kind(state, "a map");
			return;
		}
		decode_object(state->context, state->scope, key->object, state->at, state->node,
			      state->target);
		break;
	case KEY_LIST:
	case KEY_MAP:
	case KEY_NAMES:
		decode_collection(state, object);
		break;
	case KEY_RANGE:
	case KEY_EXCLUDE:
		decode_ranges(*state, object);
		break;
	default:
		decode_value(state);
	}
	*has = !state->node->bad;
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
		&(struct decode_state){
			.context = context,
			.scope = &here,
			.key = key,
			.node = name->next,
			.at = name,
			.target = member(target, key->offset),
		},
		target);
}

/* Reports required keys that are missing. */
static void check_required(struct context *context, const struct scope *scope,
			   const struct object *object, const struct node *at,
			   const struct node *body)
{
	for (size_t i = 0; i < object->n_keys && !body->incomplete; i++) {
		const struct key *key = &object->keys[i];
		if (key->required && !node_get(body, key->name))
			report(context, CODE_MISSING_KEY, scope, at,
			       hint_text(context, "add `%s: %s`", key->name, key->example),
			       "has no key `%s`", key->name);
	}
}

static const char *object_hint(struct context *context, const struct object *object,
			       const struct node *body)
{
	if (body->kind == NODE_SCALAR && !body->quoted && strchr(body->text, ':'))
		return "put a space after the ':' of a key";
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
