#include "cmd/reference/schema_rules.h"

#include "schema/driver.h"

#include <stdlib.h>
#include <string.h>

/* Both of one address family; a text without ':' is IPv4. */
#define SAME_FAMILY(one, other)                                                                    \
	"{'if': {'required': ['" one "'], 'properties': {'" one "': {'pattern': ':'}}},"           \
	" 'then': {'properties': {'" other "': {'pattern': ':'}}},"                                \
	" 'else': {'properties': {'" other "': {'pattern': '^[^:]*$'}}}}"

/* Addresses that no LAN uses: this network, loopback, multicast and above; IPv6's multicast. */
#define SUBNET_RELATIONS                                                                           \
	SAME_FAMILY("subnet", "gateway")                                                           \
	"," SAME_FAMILY("subnet",                                                                  \
			"ip_range") ","                                                            \
				    "{'properties': {'subnet': {'not': {'pattern':"                \
				    " '^(0|127|22[4-9]|2[3-5][0-9])\\\\.|^[Ff][Ff]|/0$'}}}}"

/* The end of a short form such as eth0.10, as a pattern: an id from 1 to 4094. */
#define DOT_VLAN "\\\\.([1-9][0-9]{0,2}|[1-3][0-9]{3}|40[0-8][0-9]|409[0-4])$"

static const struct relations {
	const struct object *object;
	const char *keywords; /* JSON with ' for " */
} relations[] = {
	{&network_object,
	 "{'anyOf': [{'required': ['parent']},"
	 "           {'required': ['internal'],"
	 "            'properties': {'internal': {'enum': [true, 'true']}}}],"
	 " 'oneOf': [{'required': ['subnet']}, {'required': ['subnets']},"
	 "           {'required': ['dhcp'], 'properties': {'dhcp': {'enum': [true, 'true']},"
	 "            'subnet': false, 'subnets': false}},"
	 "           {'required': ['accept_ra'], 'properties': {'accept_ra': {'enum': [true, 'true']},"
	 "            'dhcp': {'enum': [false, 'false']}, 'subnet': false, 'subnets': false}}],"
	 " 'dependentRequired': {'vlan': ['parent'], 'vlan_protocol': ['parent'],"
	 "   'manage_parent': ['parent'],"
	 "   'gateway': ['subnet'], 'on_link': ['gateway'], 'ip_range': ['subnet'],"
	 "   'exclude': ['subnet'], 'aux_addresses': ['subnet']},"
	 " 'allOf': ["
	 "  {'properties': {'parent': {'not': {'const': 'lo'}}}},"
	 "  {'if': {'required': ['vlan']}, 'else': {'properties': {'parent': {'not':"
	 "   {'type': 'string', 'pattern': '^lo" DOT_VLAN "'}}}}},"
	 "  {'if': {'required': ['mode'],"
	 "          'properties': {'mode': {'enum': ['private', 'vepa', 'passthru']}}},"
	 "   'then': {'properties': {'host': {'enum': [false, 'false']}}}},"
	 "  {'if': {'required': ['dhcp'], 'properties': {'dhcp': {'enum': [true, 'true']}}},"
	 "   'then': {'required': ['parent'],"
	 "            'properties': {'mode': {'not': {'enum': ['l3', 'l3s']}},"
	 "                           'host': {'enum': [false, 'false']}}}},"
	 "  {'if': {'required': ['accept_ra'],"
	 "          'properties': {'accept_ra': {'enum': [true, 'true']}}},"
	 "   'then': {'required': ['parent'],"
	 "            'properties': {'mode': {'not': {'enum': ['l3', 'l3s']}}}}},"
	 "  {'if': {'required': ['vlan_protocol']},"
	 "   'then': {'anyOf': [{'required': ['vlan']},"
	 "                      {'properties': {'parent': {'pattern': '." DOT_VLAN "'}}}]}},"
	 "  {'if': {'anyOf': [{'required': ['subnet'],"
	 "                     'properties': {'subnet': {'pattern': ':'}}},"
	 "                    {'required': ['subnets'], 'properties': {'subnets': {'contains':"
	 "                     {'properties': {'subnet': {'pattern': ':'}}}}}}]},"
	 "   'then': {'properties': {'mtu': {'minimum': 1280}}}}, " SUBNET_RELATIONS "]}"},
	{&subnet_object, "{'allOf': [" SUBNET_RELATIONS "]}"},
	{&attachment_object,
	 "{'if': {'required': ['dhcp'], 'properties': {'dhcp': {'enum': [true, 'true']}}},"
	 " 'then': {'properties': {'ipv4_address': false}},"
	 " 'dependentSchemas': {'addresses':"
	 "   {'properties': {'ipv4_address': false, 'ipv6_address': false}}}}"},
	{&route_object,
	 "{'allOf': [" SAME_FAMILY("to", "via") "," SAME_FAMILY(
		 "to",
		 "source") ","
			   "{'if': {'required': ['type'],"
			   "        'properties': {'type': {'not': {'const': 'unicast'}}}},"
			   " 'then': {'properties': {'via': false, 'on_link': false, 'mtu': false,"
			   "   'advmss': false, 'scope': false, 'source': false}},"
			   " 'else': {'anyOf': [{'required': ['table']},"
			   "  {'properties': {'to': {'not': {'pattern': '/0$'}}}}]}},"
			   "{'properties': {'table': {'not': {'anyOf': [{'enum': [77, 78, 255]},"
			   " {'minimum': 7700, 'maximum': 7955}]}}}},"
			   "{'if': {'properties': {'to': {'pattern': ':'}}},"
			   " 'then': {'properties': {'scope': false}}},"
			   "{'if': {'required': ['via']},"
			   " 'then': {'properties': {'scope': {'const': 'global'}}}}],"
			   " 'dependentRequired': {'on_link': ['via']}}"},
	{&routing_rule_object, "{'anyOf': [{'required': ['from']}, {'required': ['to']}]}"},
	{&container_object,
	 "{'oneOf': [{'required': ['netns']}, {'required': ['pid']}, {'required': ['docker']},"
	 "           {'required': ['podman']}, {'required': ['cni']},"
	 "           {'required': ['lxc']}, {'required': ['incus']},"
	 "           {'required': ['systemd']}, {'required': ['machine']},"
	 "           {'properties': {'netns': false, 'pid': false, 'docker': false,"
	 "                           'podman': false, 'cni': false, 'lxc': false,"
	 "                           'incus': false, 'systemd': false,"
	 "                           'machine': false}}]}"},
};

static json_t *parse(const char *keywords)
{
	char *text = strdup(keywords);
	if (!text)
		return NULL;
	for (char *c = text; *c; c++)
		if (*c == '\'')
			*c = '"';
	json_t *parsed = json_loads(text, 0, NULL);
	free(text);
	return parsed;
}

/* The keys that a network of the driver may have. */
static json_t *driver_rule(const struct driver_info *driver)
{
	json_t *modes = json_array();
	for (const struct word *mode = link_mode_words; mode->name; mode++)
		if (driver->modes & 1U << mode->value)
			json_array_append_new(modes, json_string(mode->name));
	json_t *rule = json_pack("{s:{s:o}}", "mode", "enum", modes);
	if (!driver->broadcast_queue) {
		json_object_set_new(rule, "bcqueuelen", json_false());
		json_object_set_new(rule, "bclim", json_false());
	}
	if (!driver->has_flag)
		json_object_set_new(rule, "ipvlan_flag", json_false());
	return json_pack("{s:o}", "properties", rule);
}

/* Each driver's rule, the default one's last. */
static json_t *drivers_rule(void)
{
	json_t *rule = driver_rule(driver_info(DRIVER_DEFAULT));
	for (const struct word *word = driver_words; word->name; word++)
		if (word->value != DRIVER_DEFAULT)
			rule = json_pack("{s:{s:[s], s:{s:{s:s}}}, s:o, s:o}", "if", "required",
					 "driver", "properties", "driver", "const", word->name,
					 "then", driver_rule(driver_info(word->value)), "else",
					 rule);
	return rule;
}

json_t *schema_relations(const struct object *object)
{
	json_t *parsed = NULL;
	for (size_t i = 0; i < sizeof(relations) / sizeof(*relations); i++)
		if (relations[i].object == object)
			parsed = parse(relations[i].keywords);
	if (object == &network_object)
		json_array_append_new(json_object_get(parsed, "allOf"), drivers_rule());
	return parsed;
}
