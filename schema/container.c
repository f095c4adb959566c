#include "lib/did_you_mean.h"
#include "schema/internal.h"
#include "schema/words.h"

#include <string.h>

/* The limit of networks that are compared for a 'did you mean'. */
#define SUGGESTIONS_MAX 1000

/* Names that must be unique in a container. Each index is NULL until it has an entry. */
struct once {
	struct index *attachments; /* name -> its first node */
	struct index *names;       /* interface name or altname -> its first node */
	struct index *routes;
};

static void once_init(struct once *once, const struct node *list)
{
	bool several = list->count > 1;
	once->attachments = several ? index_new(list->count) : NULL;
	once->names = NULL;
	once->routes = NULL;
}

static void once_free(struct once *once)
{
	index_free(once->attachments);
	index_free(once->names);
	index_free(once->routes);
}

static const char *unknown_network_hint(struct build *build, const struct set_info *set,
					const char *name)
{
	struct suggestion suggestion = {.text = name};
	if (report_full(&build->context))
		return NULL;
	for (size_t i = 0; i < set->set.n_networks && i < SUGGESTIONS_MAX; i++)
		suggestion_try(&suggestion, set->set.networks[i].name);
	if (suggestion.best)
		return hint_text(&build->context, "did you mean %s?", suggestion.best);
	for (const struct set_info *other = build->sets; other; other = other->next)
		if (other != set && index_get_text(other->networks, name))
			return hint_text(
				&build->context,
				"set %s has a network of that name; give both documents the same "
				"`name`",
				other->set.name);
	return "declare it under the top-level `networks`";
}

/* The network that the value of `network`, or an attachment's name, stands for, or NULL. */
static struct network_info *find_network(struct build *build, const struct set_info *set,
					 const struct scope *scope, const struct node *name)
{
	struct context *context = &build->context;
	struct network_info *info = index_get_text(set->networks, name->text);
	if (!info && !context->incomplete)
		report(context, CODE_UNKNOWN_NETWORK, scope, name,
		       unknown_network_hint(build, set, name->text),
		       "refers to network %s, which is not declared in set %s",
		       printable_text(context, name->text), set->set.name);
	return info;
}

/* Names and altnames of links: the kernel has one table of both. */
static void check_name_once(struct build *build, const struct scope *scope, struct once *once,
			    const char *name, const struct node *node)
{
	struct context *context = &build->context;
	if (!once->names)
		once->names = index_new(0);
	const struct node *other = index_put_text(once->names, name, (void *)(uintptr_t)node);
	if (!other)
		return;
	struct place place = place_of(context, other);
	report(context, CODE_INTERFACE_IN_USE, scope, node, "choose another name",
	       "%s is already used in this container, at %s", name, place_text(context, &place));
}

static void check_altnames_once(struct build *build, const struct scope *scope, struct once *once,
				const struct attachment *attachment, const struct node *body)
{
	const struct node *list = body ? node_good(body, "altnames") : NULL;
	struct scope up = {.up = scope, .name = "altnames"}, here = {.up = &up};
	for (const struct node *item = list ? list->first : NULL;
	     item && here.index < attachment->n_altnames; item = item->next, here.index++)
		if (attachment->altnames[here.index])
			check_name_once(build, &here, once, attachment->altnames[here.index], item);
}

/* A name of its own has the rules of names. That of a network was checked with the network. */
static struct network_info *read_network(struct build *build, const struct set_info *set,
					 const struct scope *up, struct node *at,
					 const struct node *body)
{
	const struct node *name = body ? node_get(body, "network") : NULL;
	struct scope scope = {.up = up, .name = at->text}, here = {.up = &scope, .name = "network"};
	if (!name)
		return find_network(build, set, up, at);
	if (!decode_name(&build->context, up, KEY_NAME, at) || name->bad)
		return NULL;
	return find_network(build, set, &here, name);
}

/* The four names of the owner tag have no room for 63 bytes each. */
static void check_tag(struct build *build, const struct set_info *set, const struct scope *scope,
		      const struct container *container, const struct attachment *attachment,
		      const struct node *at)
{
	const char *name = attachment_own_name(attachment);
	const size_t length = name ? strlen(set->set.name) + strlen(attachment->network->name) +
					      strlen(container->name) + strlen(name)
				   : 0;
	if (length > OWN_NAMES_LENGTH_MAX)
		report(&build->context, CODE_NAME, scope, at, "choose a shorter name",
		       "has a name too long for the owner tag, with those of its set, network and "
		       "container: %zu bytes together, and the limit is %d",
		       length, OWN_NAMES_LENGTH_MAX);
}

static void check_once(struct build *build, const struct scope *scope, struct once *once,
		       const struct attachment *attachment, struct node *at, struct node *body)
{
	struct context *context = &build->context;
	const struct node *other;
	const char *name = attachment->interface_name;

	if (once->attachments && (other = index_put_text(once->attachments, at->text, at))) {
		struct place place = place_of(context, other);
		report(context, CODE_DECLARED_TWICE, scope, at,
		       "remove one of the two; to attach the container to the network twice, "
		       "write a map, and give one of the two another name: "
		       "`OTHER: {network: NETWORK}`",
		       "is listed twice, first at %s", place_text(context, &place));
	}
	const struct scope here = {.up = scope, .name = "interface_name"};
	if (name)
		check_name_once(build, &here, once, name, node_get(body, "interface_name"));
	check_altnames_once(build, scope, once, attachment, body);
}

/* Reads one attachment; `at` is its key or list item, body its options or NULL. */
static void read_attachment(struct build *build, const struct set_info *set, const struct scope *up,
			    struct once *once, struct node *at, struct node *body,
			    const struct container *container, struct attachment *attachment)
{
	struct context *context = &build->context;
	struct scope scope = {.up = up, .name = at->text};
	struct attachment_decl decl = {0};

	if (body)
		decode_object(context, &scope, &attachment_object, at, body, &decl);
	struct network_info *info = read_network(build, set, up, at, body);
	*attachment = decl.attachment;
	attachment->place = place_of(context, at);
	attachment->name = arena_strdup(context->arena, at->text);
	if (!info)
		return;
	attachment->network = info->network;
	attachment->first = container_attachment(container, info->network) == attachment;
	multi_host_use(info, container);
	check_tag(build, set, &scope, container, attachment, at);
	check_once(build, &scope, once, attachment, at, body);
	attachment_check(build, &scope, info, container, attachment, at, body, &once->routes);
}

/* The form `networks: [lan, dmz]`. */
static void read_list(struct build *build, const struct set_info *set, const struct scope *scope,
		      struct once *once, const struct node *list, struct container *container)
{
	struct scope here = {.up = scope};
	for (struct node *item = list->first; item; item = item->next, here.index++) {
		struct attachment *attachment = &container->attachments[container->n_attachments++];
		if (item->bad)
			continue;
		if (item->kind != NODE_SCALAR || !*item->text)
			report(&build->context, CODE_WRONG_KIND, &here, item,
			       item->kind == NODE_SCALAR
				       ? "write the name, or remove the item"
				       : "to set options, write a map instead of the list: `lan: "
					 "{...}`",
			       "is not a network name");
		else
			read_attachment(build, set, scope, once, item, NULL, container, attachment);
	}
}

/* The form `networks: {lan: {...}, dmz: }`. */
static void read_map(struct build *build, const struct set_info *set, const struct scope *scope,
		     struct once *once, const struct node *map, struct container *container)
{
	for (struct node *name = map->first; name; name = name->next->next) {
		struct attachment *attachment = &container->attachments[container->n_attachments++];
		struct node *body = name->next->bad || node_null(name->next) ? NULL : name->next;
		read_attachment(build, set, scope, once, name, body, container, attachment);
	}
}

static void read_attachments(struct build *build, const struct set_info *set,
			     const struct scope *up, const struct node *list,
			     struct container *container)
{
	struct scope scope = {.up = up, .name = "networks"};
	struct once once;
	once_init(&once, list);
	container->attachments =
		arena_alloc(build->context.arena, list->count * sizeof(struct attachment));
	if (list->kind == NODE_SEQUENCE)
		read_list(build, set, &scope, &once, list, container);
	else
		read_map(build, set, &scope, &once, list, container);
	once_free(&once);
}

/* Determines the container's source of the namespace. */
static void take_source(struct build *build, const struct scope *scope, const struct node *body,
			const struct container_decl *decl, struct container *container)
{
	const char *found = NULL;
	container->source_kind = SOURCE_NETNS;
	container->source = container->name;

	for (unsigned i = 0; i < N_SOURCE_KINDS; i++) {
		const char *key = source_kind_name(i);
		if (!node_get(body, key))
			continue;
		if (found) {
			report_key(&build->context, CODE_SOURCE, scope, body, key,
				   "keep only one of the two", "conflicts with %s", found);
			continue;
		}
		found = key;
		container->source_kind = i;
		container->source = decl->sources[i];
	}
}

/* Two containers must not name the same namespace. */
static void check_source(struct build *build, struct set_info *set, const struct scope *scope,
			 const struct node *name, struct container *container)
{
	struct context *context = &build->context;
	const char *kind = source_kind_name(container->source_kind);
	const struct node *node = node_get(name->next, kind);
	if (!container->source)
		return;
	const char *key = hint_text(context, "%s %s", kind, container->source);
	const struct container *other =
		host_uniques_enter(build, &set->sources, key, &container->hosts, container);
	if (other)
		report(context, CODE_SOURCE, scope, node ? node : name,
		       "declare all networks of this container under one name",
		       "is %s, which is already containers.%s at %s", key,
		       printable_text(context, other->name), place_text(context, &other->place));
}

/* Adds the container to its set, under its name. */
static bool enter(struct build *build, struct set_info *set, struct node *name,
		  struct container *container)
{
	struct context *context = &build->context;
	struct scope root = {0}, containers = {.up = &root, .name = "containers"};
	if (!decode_name(context, &containers, KEY_NAME, name))
		return false;
	const struct container *other = index_put_text(set->containers, container->name, container);
	if (other)
		report(context, CODE_DECLARED_TWICE, &containers, name,
		       "rename or remove one of the two",
		       "declares %s twice in set %s, first at %s",
		       printable_text(context, container->name), set->set.name,
		       place_text(context, &other->place));
	return !other;
}

void container_read(struct build *build, struct set_info *set, struct node *name)
{
	struct context *context = &build->context;
	struct scope root = {0}, containers = {.up = &root, .name = "containers"};
	struct scope scope = {.up = &containers, .name = name->text};
	struct container_decl decl = {0};
	struct container *container = &set->set.containers[set->set.n_containers++];

	container->place = place_of(context, name);
	container->extent.begin = name->index;
	container->extent.end = name->next->next ? name->next->next->index : 0;
	container->name = arena_strdup(context->arena, name->text);
	bool entered = enter(build, set, name, container);
	decode_object(context, &scope, &container_object, name, name->next, &decl);
	if (name->next->bad)
		return;
	container->hosts = decl.container.hosts;
	container->policy_routing = decl.container.policy_routing;
	hosts_take(build, &scope, name->next, &container->hosts);
	take_source(build, &scope, name->next, &decl, container);
	if (entered)
		check_source(build, set, &scope, name, container);
	if (decl.networks)
		read_attachments(build, set, &scope, decl.networks, container);
}
