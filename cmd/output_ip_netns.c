#include "cmd/output_ip.h"

#include "lib/escape.h"
#include "lib/printable.h"
#include "schema/words.h"

#include <stdio.h>
#include <string.h>

/* printf(1) writes control characters, which could affect the terminal of the reader. A newline
 * would end the command: such a name is replaced by an unused one. */
static const char *shell_spell(struct arena *arena, const char *text)
{
	char *spelt = arena_alloc(arena, 4 * strlen(text) + 1), *to = spelt;
	for (; *text; text++)
		to += sprintf(to, "\\%03o", (unsigned char)*text);
	return arena_printf(arena, "\"$(printf '%s')\"", spelt);
}

const char *shell_quote(struct arena *arena, const char *text)
{
	static const char safe[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
				   "_./:,+@%=-";
	if (*text && strspn(text, safe) == strlen(text))
		return text;
	if (!text_printable(text, strlen(text)))
		return shell_spell(arena, text);
	char *quoted = arena_alloc(arena, 4 * strlen(text) + 3), *to = quoted;
	*to++ = '\'';
	for (; *text; text++) {
		if (*text == '\'')
			to = stpcpy(to, "'\\''");
		else
			*to++ = *text;
	}
	*to = '\'';
	return quoted;
}

const char *shell_quote_name(struct arena *arena, const char *name)
{
	char *bytes = arena_alloc(arena, strlen(name) + 1);
	unescape(bytes, name);
	return shell_quote(arena, bytes);
}

/* Queries the engine when the command is run: the container may have restarted by then. */
static const char *engine_path(struct arena *arena, enum source_kind kind, const char *name)
{
	const char *engine = source_kind_name(kind);
	const char *slash = strchr(name, '/'), *container = shell_quote(arena, name);
	if (slash)
		container = arena_printf(
			arena, "$(%s ps -q --filter %s --filter %s)", engine,
			shell_quote(arena,
				    arena_printf(arena, "label=com.docker.compose.project=%.*s",
						 (int)(slash - name), name)),
			shell_quote(arena,
				    arena_printf(arena, "label=com.docker.compose.service=%s",
						 slash + 1)));
	return arena_printf(arena, "/proc/$(%s inspect -f '{{.State.Pid}}' %s)/ns/net", engine,
			    container);
}

static struct ip_netns namespace_at(struct arena *arena, const char *path)
{
	const char *enter = arena_printf(arena, "nsenter --net=%s ", path);
	return (struct ip_netns){
		.ip = arena_printf(arena, "%sip", enter), .enter = enter, .netns = path};
}

/* As engine_path. */
static const char *lxc_path(struct arena *arena, const char *source)
{
	const char *slash = source[0] == '/' ? strrchr(source, '/') : NULL;
	const char *name = shell_quote(arena, slash ? slash + 1 : source);
	const char *folder =
		slash ? arena_printf(arena, "-P %s ",
				     shell_quote(arena,
						 slash == source
							 ? "/"
							 : arena_strndup(arena, source,
									 (size_t)(slash - source))))
		      : "";
	return arena_printf(arena, "/proc/$(lxc-info %s-n %s -pH)/ns/net", folder, name);
}

static const char *incus_path(struct arena *arena, const char *source)
{
	const char *slash = strchr(source, '/');
	const char *project =
		slash ? arena_printf(arena, "--project %s ",
				     shell_quote(arena, arena_strndup(arena, source,
								      (size_t)(slash - source))))
		      : "";
	return arena_printf(arena, "/proc/$(incus info %s%s | awk '/^PID:/ {print $2}')/ns/net",
			    project, shell_quote(arena, slash ? slash + 1 : source));
}

static struct ip_netns namespace_of_source(struct arena *arena, enum source_kind kind,
					   const char *source)
{
	switch (kind) {
	case SOURCE_PID:
		return namespace_at(arena, arena_printf(arena, "/proc/%s/ns/net", source));
	case SOURCE_DOCKER:
	case SOURCE_PODMAN:
		return namespace_at(arena, engine_path(arena, kind, source));
	case SOURCE_LXC:
		return namespace_at(arena, lxc_path(arena, source));
	case SOURCE_INCUS:
		return namespace_at(arena, incus_path(arena, source));
	case SOURCE_SYSTEMD:
		return namespace_at(
			arena,
			arena_printf(arena, "/proc/$(systemctl show -p MainPID --value %s)/ns/net",
				     shell_quote(arena, source)));
	case SOURCE_MACHINE:
		return namespace_at(
			arena,
			arena_printf(arena, "/proc/$(machinectl show -p Leader --value %s)/ns/net",
				     shell_quote(arena, source)));
	case SOURCE_NETNS:
	case SOURCE_CNI:
	case N_SOURCE_KINDS:
		break;
	}
	if (*source == '/')
		return namespace_at(arena, shell_quote(arena, source));
	const char *path = arena_printf(arena, "/run/netns/%s", source);
	return (struct ip_netns){
		.ip = arena_printf(arena, "ip -n %s", shell_quote(arena, source)),
		.enter = arena_printf(arena, "nsenter --net=%s ", shell_quote(arena, path)),
		.netns = shell_quote(arena, source)};
}

struct ip_netns ip_netns_of(struct arena *arena, const struct live *live,
			    const struct origin *origins, const struct live_ns *ns)
{
	enum source_kind kind;
	const char *source;
	if (ns->host)
		return (struct ip_netns){.ip = "ip", .enter = ""};
	for (size_t i = 0; i < live->n_containers; i++)
		if (live->container_lookups[i].ns == ns &&
		    live->container_lookups[i].container->source_kind != SOURCE_CNI)
			return namespace_of_source(
				arena, live->container_lookups[i].container->source_kind,
				live->container_lookups[i].container->source);
	for (size_t i = 0; i < live->n_namespaces; i++)
		if (live->namespaces[i] == ns && origin_source(&origins[i], "", &kind, &source))
			return namespace_of_source(arena, kind, source);
	return namespace_at(arena, shell_quote_name(arena, ns->name));
}
