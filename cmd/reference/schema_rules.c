#include "cmd/reference/schema_rules.h"

#include "lib/json_text.h"

#define BYTE             "(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
#define IPV4             BYTE "(\\." BYTE "){3}"
#define HEX              "[0-9A-Fa-f]{1,4}"
#define COLON_HEX(range) "(:" HEX "){" range "}"
/* RFC 4291, section 2.2: eight groups, or fewer and one "::"; the last two may be an IPv4
 * address. */
#define IPV6                                                                                                     \
	"(" HEX COLON_HEX("7") "|" HEX COLON_HEX(                                                                \
		"5") ":" IPV4 "|(" HEX ":){1,7}:|(" HEX ":){1,6}:" HEX "|(" HEX                                  \
		     ":){1,5}" COLON_HEX("2") "|(" HEX ":){1,4}" COLON_HEX("3") "|(" HEX ":){1,3}" COLON_HEX(    \
			     "4") "|(" HEX                                                                       \
				  ":){1,2}" COLON_HEX("5") "|" HEX ":" COLON_HEX("6") "|:(" COLON_HEX(           \
					  "1,7") "|:)"                                                           \
						 "|(" HEX ":){1,5}:" IPV4 "|(" HEX ":){1,4}:" HEX                \
						 ":" IPV4 "|(" HEX                                               \
						 ":){1,3}" COLON_HEX("2") ":" IPV4 "|(" HEX ":){1,2}" COLON_HEX( \
							 "3") ":" IPV4 "|" HEX                                   \
							      ":" COLON_HEX(                                     \
								      "4") ":" IPV4 "|"                          \
									   ":" COLON_HEX(                        \
										   "0,5") ":" IPV4               \
											  ")"
#define IPV4_LENGTH "/(3[0-2]|[12]?[0-9])"
#define IPV6_LENGTH "/(12[0-8]|1[01][0-9]|[1-9]?[0-9])"
#define PREFIX      IPV4 IPV4_LENGTH "|" IPV6 IPV6_LENGTH
/* Loose for IPv6: C99 limits the length of a string. */
#define COLONS      "[0-9A-Fa-f.]*:[0-9A-Fa-f:.]+"
#define RANGE       IPV4 "-" IPV4 "|" COLONS "-" COLONS
#define WHOLE(text) "^(" text ")$"

/* No white space and no control characters. */
#define SOLID "[^\\s\\u0000-\\u001f\\u007f]"
#define LINE  "[^\\u0000-\\u001f\\u007f]"
#define NAME  "[A-Za-z0-9][A-Za-z0-9_.-]*"

static const struct rule {
	const char *name;
	const char *pattern;
	unsigned longest;   /* characters; 0: the pattern limits it */
	bool plain_numbers; /* YAML may parse the text as a number or a boolean */
	const char *wrong;  /* the editor's message for a text that does not match */
} rules[] = {
	[KEY_NAME] = {"name", WHOLE(NAME), 63, true,
		      "a name has letters, digits, '_', '.' and '-', and starts with a letter or "
		      "digit"},
	[KEY_PARENT] = {"parent", "^(?!\\.{1,2}$)[^\\s/\\u0000-\\u001f\\u007f]+$", 127, true,
			"the name of a link to the LAN, such as eth0"},
	[KEY_INTERFACE] = {"interface",
			   "^(?!(\\.{1,2}|lo|all|default)$)[^\\s/:%\\u0000-\\u001f\\u007f]+$", 15,
			   true, "a name of at most 15 bytes, such as eth0 or lan0"},
	[KEY_ALTNAME] = {"altname",
			 "^(?!(\\.{1,2}|lo|all|default)$)[^\\s/:%\\u0000-\\u001f\\u007f]+$", 127,
			 true, "a name of at most 127 bytes, such as uplink"},
	[KEY_NETNS] = {"netns", "^(?!\\.{1,2}$)(/" LINE "*|[^/\\u0000-\\u001f\\u007f]{1,255})$",
		       4095, true, "a name that `ip netns` shows, or an absolute path"},
	[KEY_ENGINE] = {"engine",
			"^(?!\\.{1,2}$)[^ /\\u0000-\\u001f\\u007f]+(/[^ /\\u0000-\\u001f\\u007f]+)"
			"?$",
			255, true, "the container's name or id, or project/service of Compose"},
	[KEY_POD] = {"pod",
		     "^(?!\\.{1,2}$)[^ /\\u0000-\\u001f\\u007f]+(/[^ /\\u0000-\\u001f\\u007f]+)?$",
		     255, true, "the pod's NAMESPACE/NAME, or the container's name"},
	[KEY_PATH] = {"path", "^(?!/(proc|sys|dev)/)(/[A-Za-z0-9_-][A-Za-z0-9_.-]*)+$", 128, false,
		      "the absolute path of a file, such as /run/mvapply/web.resolv.conf"},
	[KEY_LXC] = {"lxc", "^([A-Za-z0-9][A-Za-z0-9_.-]{0,62}|(?!.*/(\\.{1,2})?(/|$))/" LINE "+)$",
		     90, true, "the container's name, or the absolute path of its folder"},
	[KEY_INCUS] = {"incus", "^([A-Za-z0-9][A-Za-z0-9_.-]*/)?[A-Za-z0-9-]+$", 70, true,
		       "the instance's name, or PROJECT/NAME"},
	[KEY_UNIT] = {"unit", "^(?!\\.)(?!.*@\\.service$)[A-Za-z0-9:_.\\\\@-]+\\.service$", 255,
		      false, "the whole name of a service's unit, such as my-db.service"},
	[KEY_MACHINE] =
		{"machine",
		 "^[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)*$",
		 64, true, "the machine's name, which `machinectl` lists"},
	[KEY_SYSCTL] = {"sysctl", "^net\\.ipv[46]\\.(conf|neigh)\\.IFNAME\\.[a-z0-9_]+$", 127,
			false,
			"net.ipv4.conf.IFNAME.KEY, net.ipv6.conf.IFNAME.KEY or "
			"net.*.neigh.IFNAME.KEY"},
	[KEY_VALUE] = {"value", "^" LINE "+$", 1023, true, "one line"},
	[KEY_HOST] = {"host", "^" SOLID "+$", 253, true,
		      "the name that `hostname` prints there, or a glob such as rack1-*"},
	[KEY_HOST_NAME] = {"host_name", "^[^\\s*?\\[\\u0000-\\u001f\\u007f]+$", 253, true,
			   "a host's own name"},
	[KEY_IP] = {"ip", WHOLE(IPV4 "|" IPV6), 0, false, "an IP address"},
	[KEY_IPV4] = {"ipv4", WHOLE(IPV4), 0, false, "an IPv4 address"},
	[KEY_IPV6] = {"ipv6", WHOLE(IPV6), 0, false, "an IPv6 address"},
	[KEY_PREFIX] = {"prefix", WHOLE(PREFIX), 0, false, "a prefix, such as 172.16.86.0/24"},
	[KEY_DESTINATION] = {"destination", WHOLE(IPV4 "|" IPV6 "|" PREFIX), 0, false,
			     "a prefix or an address"},
	[KEY_RANGE] = {"range", WHOLE(PREFIX "|" RANGE), 0, false,
		       "a prefix, or FIRST-LAST, such as 172.16.86.20-172.16.86.100"},
	[KEY_EXCLUDE] = {"exclude", WHOLE(IPV4 "|" IPV6 "|" PREFIX "|" RANGE), 0, false,
			 "an address, FIRST-LAST or a prefix"},
	[KEY_MAC] = {"mac",
		     "^(?!0+([:-]0+)*$)[0-9A-Fa-f]?[02468ACEace](:[0-9A-Fa-f]{1,2}){5}$"
		     "|^(?!0+(-0+)*$)[0-9A-Fa-f]?[02468ACEace](-[0-9A-Fa-f]{1,2}){5}$",
		     0, false, "a unicast MAC address, such as 02:42:ac:10:56:14"},
	[KEY_NAMES] = {0}, /* the last of the types */
};

const char *schema_rule_name(enum key_type type)
{
	return rules[type].name;
}

json_t *schema_rule(enum key_type type)
{
	const struct rule *rule = &rules[type];
	json_t *schema = rule->plain_numbers
				 ? json_pack("{s:[s,s,s]}", "type", "string", "number", "boolean")
				 : json_pack("{s:s}", "type", "string");
	json_put(schema, "pattern", json_string(rule->pattern));
	json_put(schema, "patternErrorMessage", json_string(rule->wrong));
	if (rule->longest)
		json_put(schema, "maxLength", json_integer(rule->longest));
	return schema;
}
