#include "schema/yaml.h"

#include "schema/diag_report.h"

#include <stddef.h>
#include <string.h>
#include <yaml.h>

#define DEPTH_MAX 32
/* Together with the size of a node this bounds the memory: 32 MiB of "[a,a,a,..." have 16 million
 * nodes. */
#define NODES_MAX ((size_t)2 << 20)

/* An incomplete collection. */
struct open {
	struct node *node, *last;
	bool desired_value; /* a mapping whose last child is a key */
};

struct builder {
	struct context *context;
	struct open stack[DEPTH_MAX];
	size_t depth;
	struct node *roots, *last_root;
	bool failed;
};

static struct node *node_new(struct builder *builder, enum node_kind kind, const yaml_mark_t *tag,
			     const char *text, size_t length)
{
	struct node *node =
		arena_alloc(builder->context->scratch, offsetof(struct node, text) + length + 1);
	node->kind = (uint8_t)kind;
	node->line = (unsigned)tag->line + 1;
	node->column = (unsigned)tag->column + 1;
	node->index = (unsigned)tag->index;
	memcpy(node->text, text, length);
	return node;
}

/* Stops the parsing of this file. */
static void fail(struct builder *builder, const struct node *at, const char *hint, const char *text)
{
	report(builder->context, CODE_TOO_MUCH, NULL, at, hint, "%s", text);
	builder->failed = true;
}

static void append_root(struct builder *builder, struct node *node)
{
	if (node_null(node))
		return;
	if (builder->last_root)
		builder->last_root->next = node;
	else
		builder->roots = node;
	builder->last_root = node;
}

/* Adds the node to the open collection. A root is added to the list when it is complete: an error
 * may have cut it. */
static void append(struct builder *builder, struct node *node)
{
	if (!builder->depth) {
		if (node->kind == NODE_SCALAR)
			append_root(builder, node);
		return;
	}
	struct open *open = &builder->stack[builder->depth - 1];
	if (!open->last)
		open->node->first = node;
	else
		open->last->next = node;
	if (open->last && open->desired_value && node_null(node) && !*node->text) {
		/* The value is empty: use the place of its key. */
		node->line = open->last->line;
		node->column = open->last->column;
	}
	open->last = node;
	open->node->count += open->node->kind == NODE_SEQUENCE || open->desired_value;
	open->desired_value = open->node->kind == NODE_MAPPING && !open->desired_value;
}

static void push(struct builder *builder, struct node *node)
{
	append(builder, node);
	if (builder->depth == DEPTH_MAX) {
		fail(builder, node, "reduce the nesting: a configuration needs at most 7 levels",
		     "the nesting is deeper than 32 levels");
		return;
	}
	builder->stack[builder->depth++] = (struct open){.node = node};
}

static void pop(struct builder *builder)
{
	if (!builder->depth)
		return;
	struct node *node = builder->stack[--builder->depth].node;
	if (node->kind == NODE_MAPPING)
		yaml_check_keys(builder->context, node);
	if (!builder->depth)
		append_root(builder, node);
}

/* Anchors and tags are refused; their node is parsed all the same. */
static void check_properties(struct builder *builder, const struct node *node, const void *anchor,
			     const void *tag)
{
	static const char yaml[] = "tag:yaml.org,2002:"; /* the expansion of !! */
	const char *name = tag, *handle = "";
	if (name && strncmp(name, yaml, sizeof(yaml) - 1) == 0) {
		name += sizeof(yaml) - 1;
		handle = "!!";
	}
	if (anchor)
		report(builder->context, CODE_YAML_UNSUPPORTED, NULL, node,
		       "write the value in full where it is used",
		       "anchors (&%s) are not supported", printable_text(builder->context, anchor));
	if (name)
		report(builder->context, CODE_YAML_UNSUPPORTED, NULL, node, "remove the tag",
		       "tags (%s%s) are not supported", handle,
		       printable_text(builder->context, name));
}

static void on_alias(struct builder *builder, const yaml_event_t *event)
{
	struct node *node = node_new(builder, NODE_SCALAR, &event->start_mark, "", 0);
	node->bad = true;
	builder->context->incomplete = true;
	report(builder->context, CODE_YAML_UNSUPPORTED, NULL, node, "write the value in full",
	       "aliases (*%s) are not supported",
	       printable_text(builder->context, (const char *)event->data.alias.anchor));
	append(builder, node);
}

static void on_scalar(struct builder *builder, const yaml_event_t *event)
{
	const char *text = (const char *)event->data.scalar.value;
	size_t length = event->data.scalar.length;
	struct node *node = node_new(builder, NODE_SCALAR, &event->start_mark, text, length);
	node->quoted = event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
	check_properties(builder, node, event->data.scalar.anchor, event->data.scalar.tag);
	if (memchr(text, '\0', length)) {
		report(builder->context, CODE_ENCODING, NULL, node, "remove the \\0",
		       "the text contains a NUL character");
		node->bad = true;
	}
	append(builder, node);
}

static void on_sequence(struct builder *builder, const yaml_event_t *event)
{
	struct node *node = node_new(builder, NODE_SEQUENCE, &event->start_mark, "", 0);
	check_properties(builder, node, event->data.sequence_start.anchor,
			 event->data.sequence_start.tag);
	push(builder, node);
}

static void on_mapping(struct builder *builder, const yaml_event_t *event)
{
	struct node *node = node_new(builder, NODE_MAPPING, &event->start_mark, "", 0);
	check_properties(builder, node, event->data.mapping_start.anchor,
			 event->data.mapping_start.tag);
	push(builder, node);
}

static void count_node(struct builder *builder, const yaml_event_t *event)
{
	if (++builder->context->nodes <= NODES_MAX)
		return;
	struct node at = {.line = (unsigned)event->start_mark.line + 1,
			  .column = (unsigned)event->start_mark.column + 1};
	fail(builder, &at, "split the file, or check what generates it",
	     "the file has more than 2 million values");
}

static void on_event(struct builder *builder, const yaml_event_t *event)
{
	switch (event->type) {
	case YAML_ALIAS_EVENT:
		count_node(builder, event);
		on_alias(builder, event);
		break;
	case YAML_SCALAR_EVENT:
		count_node(builder, event);
		on_scalar(builder, event);
		break;
	case YAML_SEQUENCE_START_EVENT:
		count_node(builder, event);
		on_sequence(builder, event);
		break;
	case YAML_MAPPING_START_EVENT:
		count_node(builder, event);
		on_mapping(builder, event);
		break;
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT:
		pop(builder);
		break;
	case YAML_NO_EVENT:
	case YAML_STREAM_START_EVENT:
	case YAML_STREAM_END_EVENT:
	case YAML_DOCUMENT_START_EVENT:
	case YAML_DOCUMENT_END_EVENT:
		break;
	}
}

static void parse(struct builder *builder, yaml_parser_t *parser)
{
	for (bool done = false; !done && !builder->failed;) {
		yaml_event_t event;
		if (!yaml_parser_parse(parser, &event)) {
			yaml_report_error(builder->context, parser);
			builder->failed = true;
			return;
		}
		on_event(builder, &event);
		done = event.type == YAML_STREAM_END_EVENT;
		yaml_event_delete(&event);
	}
}

struct node *yaml_read(struct context *context)
{
	struct builder builder = {.context = context};
	yaml_parser_t parser;
	if (!yaml_parser_initialize(&parser)) {
		report_place(context, CODE_TOO_MUCH, 0, 0, NULL,
			     "not enough memory to parse the file");
		context->incomplete = true;
		return NULL;
	}
	yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&parser, (const unsigned char *)context->source->bytes,
				     context->source->size);
	parse(&builder, &parser);
	yaml_parser_delete(&parser);
	context->incomplete |= builder.failed;
	return builder.roots;
}

struct node *yaml_parse(const struct input *input, struct arena *arena, struct diags *diags)
{
	struct source source;
	struct context context = {
		.arena = arena, .scratch = arena, .diags = diags, .source = &source};
	source_init(&source, arena_strdup(arena, input->file), input->bytes, input->size);
	return yaml_read(&context);
}
