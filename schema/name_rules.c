#include "schema/name_rules.h"

#include "lib/escape.h"
#include "lib/printable.h"
#include "schema/hosts.h"

#include <limits.h>
#include <string.h>

#define DIGITS  "0123456789"
#define LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

#define ALTNAME_LENGTH_MAX 127
#define FILE_LENGTH_MAX    255
#define ENGINE_LENGTH_MAX  255
#define SYSCTL_LENGTH_MAX  127
#define PATH_LENGTH_MAX    128
#define LXC_LENGTH_MAX     90
#define LXC_NAME_MAX       70
#define MACHINE_NAME_MAX   64
#define VALUE_LENGTH_MAX   1023
#define HOST_LENGTH_MAX    253

static bool has_control(const char *text)
{
	return !text_printable(text, strlen(text));
}

static const char *name_problem(const char *text, const char **ret_hint)
{
	if (strlen(text) > NAME_LENGTH_MAX)
		return "is longer than 63 bytes";
	*ret_hint = "use letters, digits, '_', '.' and '-', and start with a letter or digit";
	if (text[strspn(text, LETTERS DIGITS "_.-")])
		return "is not a valid name";
	if (!strspn(text, LETTERS DIGITS))
		return "is not a valid name";
	return NULL;
}

/* The rules for the name of any link. */
static const char *link_problem(const char *text)
{
	if (strpbrk(text, " \t\n\v\f\r") || has_control(text))
		return "is not a valid link name: it contains white space";
	if (strchr(text, '/'))
		return "is not a valid link name: it contains '/'";
	if (escaped(text))
		return "is not a valid link name: \\xNN stands for a byte that is not text";
	if (strcmp(text, ".") == 0 || strcmp(text, "..") == 0)
		return "is not a valid link name";
	return NULL;
}

static const char *parent_problem(const char *text, const char **ret_hint)
{
	*ret_hint = "`ip link` lists the host's links";
	if (strlen(text) > ALTNAME_LENGTH_MAX)
		return "is longer than 127 bytes, the limit of a link's altname";
	return link_problem(text);
}

/* The kernel takes any altname; systemd's rules are as for a name. */
static const char *new_name_problem(const char *text)
{
	static const char *const kept[] = {"lo", "all", "default"};
	if (strchr(text, ':'))
		return "is not a valid link name: it contains ':'";
	if (strchr(text, '%'))
		return "is not a valid link name: it contains '%'";
	for (size_t i = 0; i < sizeof(kept) / sizeof(*kept); i++)
		if (strcmp(text, kept[i]) == 0)
			return "is reserved by the kernel";
	return link_problem(text);
}

static const char *altname_problem(const char *text, const char **ret_hint)
{
	*ret_hint = "use a name such as uplink";
	if (strlen(text) > ALTNAME_LENGTH_MAX)
		return "is longer than 127 bytes";
	return new_name_problem(text);
}

static const char *interface_problem(const char *text, const char **ret_hint)
{
	*ret_hint = "use a name such as eth0 or lan0";
	return strlen(text) >= IFNAMSIZ ? "is longer than 15 bytes" : new_name_problem(text);
}

static const char *netns_problem(const char *text, const char **ret_hint)
{
	*ret_hint = "write a name that `ip netns` lists, or an absolute path";
	if (has_control(text))
		return "is not a valid network namespace: it contains control characters";
	if (*text == '/')
		return strlen(text) < PATH_MAX ? NULL : "is longer than the limit of a path";
	if (strlen(text) > FILE_LENGTH_MAX)
		return "is longer than 255 bytes";
	if (strchr(text, '/'))
		return "is neither a name nor an absolute path";
	if (strcmp(text, ".") == 0 || strcmp(text, "..") == 0)
		return "is not a valid name of a network namespace";
	return NULL;
}

static const char *pid_problem(const char *text, const char **ret_hint)
{
	static const char highest[] = "2147483647";
	size_t length = strlen(text);

	*ret_hint = "write a process id, such as 4711";
	if (strspn(text, DIGITS) != length || *text == '0')
		return "is not a process id";
	if (length > sizeof(highest) - 1 ||
	    (length == sizeof(highest) - 1 && strcmp(text, highest) > 0))
		return "is higher than 2147483647, the limit of a process id";
	return NULL;
}

/* One or two words with a slash between. */
static const char *words_problem(const char *text)
{
	const char *slash = strchr(text, '/');
	if (strlen(text) > ENGINE_LENGTH_MAX)
		return "is longer than 255 bytes";
	if (has_control(text) || strchr(text, ' ') || strcmp(text, ".") == 0 ||
	    strcmp(text, "..") == 0)
		return "is not a valid container name";
	if (slash && (slash == text || !slash[1] || strchr(slash + 1, '/')))
		return "is not a valid container name";
	return NULL;
}

/* A name, an id, or a Compose project and service. */
static const char *engine_problem(const char *text, const char **ret_hint)
{
	*ret_hint = "write the container's name or id, or Compose's project/service";
	return words_problem(text);
}

static const char *pod_problem(const char *text, const char **ret_hint)
{
	*ret_hint = "write the pod's NAMESPACE/NAME; for Podman, the container's name";
	return words_problem(text);
}

/* It is a part of an owner tag, which has 255 bytes. */
static const char *path_problem(const char *text, const char **ret_hint)
{
	static const char slash_dot[] = "/.";
	*ret_hint = "write a path such as /run/mvapply/web.resolv.conf, without links and dots";
	if (*text != '/' || text[strlen(text) - 1] == '/')
		return "is not the absolute path of a file";
	if (strlen(text) > PATH_LENGTH_MAX)
		return "is longer than 128 bytes";
	if (text[strspn(text, LETTERS DIGITS "/_.-")] || strstr(text, "//") ||
	    strstr(text, slash_dot))
		return "is not a plain path";
	return strncmp(text, "/proc/", 6) == 0 || strncmp(text, "/sys/", 5) == 0 ||
			       strncmp(text, "/dev/", 5) == 0
		       ? "is in a file system of the kernel"
		       : NULL;
}

/* A folder becomes the name of a socket, which is not a file: "..", for example, leads nowhere. */
static const char *lxc_problem(const char *text, const char **ret_hint)
{
	if (*text != '/')
		return name_problem(text, ret_hint);
	*ret_hint = "write the absolute path of the container's folder, without a slash at its end";
	if (strlen(text) > LXC_LENGTH_MAX)
		return "is longer than 90 bytes, the limit of the name of LXC's socket";
	if (has_control(text) || strstr(text, "//") || strstr(text, "/./") || strstr(text, "/../"))
		return "is not a path as LXC writes it";
	return text[strlen(text) - 1] == '/' ? "is not a path as LXC writes it" : NULL;
}

/* Incus's names are host names, and its projects have no '_' at this place: one means PROJECT_NAME
 * to liblxc. */
static const char *incus_problem(const char *text, const char **ret_hint)
{
	const char *slash = strchr(text, '/');
	const size_t words = strspn(text, LETTERS DIGITS "-_.");
	*ret_hint = "write the instance's name, or PROJECT/NAME";
	if (strlen(text) > LXC_NAME_MAX)
		return "is longer than 70 bytes";
	if (!strspn(text, LETTERS DIGITS) || (slash && slash != text + words))
		return "is not a valid name";
	const char *name = slash ? slash + 1 : text;
	return *name && !name[strspn(name, LETTERS DIGITS "-")] ? NULL : "is not a valid name";
}

/* systemd.unit(5); the name of a folder. A template (web@.service) is no unit. */
static const char *unit_problem(const char *text, const char **ret_hint)
{
	const size_t length = strlen(text), suffix = sizeof(".service") - 1;
	*ret_hint = "write the whole name of the service's unit, such as my-db.service";
	if (length > FILE_LENGTH_MAX)
		return "is longer than 255 bytes";
	if (length <= suffix || strcmp(text + length - suffix, ".service") != 0)
		return "is not the name of a service";
	if (text[strspn(text, LETTERS DIGITS ":-_.\\@")] || *text == '.' ||
	    strstr(text, "@.service"))
		return "is not the name of a service";
	return NULL;
}

/* Labels of letters, digits and '-', with a '.' between (hostname_is_valid of systemd). */
static const char *machine_problem(const char *text, const char **ret_hint)
{
	*ret_hint = "write the machine's name, which `machinectl` lists";
	if (strlen(text) > MACHINE_NAME_MAX)
		return "is longer than 64 bytes";
	for (;; text++) {
		const size_t length = strspn(text, LETTERS DIGITS "-");
		if (!length || text[0] == '-' || text[length - 1] == '-')
			return "is not the name of a machine";
		text += length;
		if (!*text)
			return NULL;
		if (*text != '.')
			return "is not the name of a machine";
	}
}

/* net.ipv4.conf.IFNAME.rp_filter */
static const char *sysctl_problem(const char *text, const char **ret_hint)
{
	static const char *const folders[] = {"net.ipv4.conf.", "net.ipv6.conf.", "net.ipv4.neigh.",
					      "net.ipv6.neigh."};
	static const char ifname[] = "IFNAME.";

	*ret_hint = "write net.ipv4.conf.IFNAME.KEY, net.ipv6.conf.IFNAME.KEY or "
		    "net.*.neigh.IFNAME.KEY; the word IFNAME stands for the link";
	if (strlen(text) > SYSCTL_LENGTH_MAX)
		return "is longer than 127 bytes";
	for (size_t i = 0; i < sizeof(folders) / sizeof(*folders); i++) {
		size_t length = strlen(folders[i]);
		if (strncmp(text, folders[i], length) != 0)
			continue;
		if (strncmp(text + length, ifname, sizeof(ifname) - 1) != 0)
			return "names a link instead of the word IFNAME";
		const char *key = text + length + sizeof(ifname) - 1;
		if (*key && !key[strspn(key, "abcdefghijklmnopqrstuvwxyz" DIGITS "_")])
			return NULL;
		return "has no valid setting after IFNAME";
	}
	return "is not a sysctl of a link";
}

static const char *value_problem(const char *text, const char **ret_hint)
{
	*ret_hint = "write it on one line";
	if (strlen(text) > VALUE_LENGTH_MAX)
		return "is longer than 1023 bytes";
	return has_control(text) ? "contains line breaks or control characters" : NULL;
}

static const char *host_problem(const char *text, const char **ret_hint)
{
	*ret_hint = "write the name that `hostname` prints on that host, or a glob such as rack1-*";
	if (strlen(text) > HOST_LENGTH_MAX)
		return "is longer than 253 bytes, the limit of a host name";
	if (strpbrk(text, " \t\n\v\f\r") || has_control(text))
		return "is not a valid host name: it contains white space";
	return NULL;
}

static const char *host_name_problem(const char *text, const char **ret_hint)
{
	if (host_is_glob(text)) {
		*ret_hint = "write one entry per host name";
		return "is a glob, which can match several hosts";
	}
	return host_problem(text, ret_hint);
}

const char *text_problem(enum key_type type, const char *text, const char **ret_hint)
{
	static const char *(*const problems[])(const char *, const char **) = {
		[KEY_NAME] = name_problem,           [KEY_PARENT] = parent_problem,
		[KEY_INTERFACE] = interface_problem, [KEY_ALTNAME] = altname_problem,
		[KEY_NETNS] = netns_problem,         [KEY_PID] = pid_problem,
		[KEY_ENGINE] = engine_problem,       [KEY_POD] = pod_problem,
		[KEY_PATH] = path_problem,           [KEY_LXC] = lxc_problem,
		[KEY_INCUS] = incus_problem,         [KEY_UNIT] = unit_problem,
		[KEY_MACHINE] = machine_problem,     [KEY_SYSCTL] = sysctl_problem,
		[KEY_VALUE] = value_problem,         [KEY_HOST] = host_problem,
		[KEY_HOST_NAME] = host_name_problem,
	};
	const char *hint = *text ? NULL : "write a value, or remove the key";
	const char *problem = *text ? problems[type](text, &hint) : "is empty";
	if (problem && hint)
		*ret_hint = hint;
	return problem;
}
