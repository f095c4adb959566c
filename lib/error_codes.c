#include "lib/error_codes.h"

#include <stdio.h>

static const struct code_text texts[] = {
	{CODE_FILE, CLASS_FAILED, "a file cannot be read",
	 "It is not there, is not a file or a directory, is larger than is taken, or may not be "
	 "read. Check the path behind -f."},
	{CODE_TRUST, CLASS_FAILED, "others may write a file",
	 "As root, mvapply takes files and folders that nobody but root, or who called sudo, may "
	 "write: whoever can write them decides what root does. Take the right away with chmod, "
	 "or say --insecure."},
	{CODE_ENCODING, CLASS_FAILED, "a character that no text has",
	 "The file has a byte that is not UTF-8, a control character or a NUL. Save it as UTF-8."},
	{CODE_YAML, CLASS_FAILED, "the text is not YAML",
	 "Something is not closed, is indented otherwise than its neighbours, or stands where it "
	 "cannot. The place is where the reader noticed; the cause may be on the line above."},
	{CODE_YAML_KEY, CLASS_FAILED, "a key is missing, no single word, or stands twice",
	 "In a map every key stands once. Two of the same would hide one of the values."},
	{CODE_YAML_UNSUPPORTED, CLASS_FAILED, "a part of YAML that is not taken",
	 "Anchors, aliases, tags and merge keys are refused: what a file says should stand where "
	 "it is said. Write the value out."},
	{CODE_TOO_MUCH, CLASS_FAILED, "more than is taken",
	 "The file is nested deeper, has more parts, or compares more hosts than a person's file "
	 "does. The limits keep memory and time bounded."},
	{CODE_SAVED_PLAN, CLASS_FAILED, "no saved plan",
	 "`mvapply apply FILE` takes what `mvapply diff --out` wrote, as it wrote it. Files of "
	 "networks are named with -f."},
	{CODE_UNKNOWN_KEY, CLASS_FAILED, "an unknown key",
	 "There is no such key at this place: a slip of the hand, a key of another object (check "
	 "the indentation), or one that Compose or Docker call otherwise. `mvapply explain` "
	 "lists all keys."},
	{CODE_MISSING_KEY, CLASS_FAILED, "a key is missing",
	 "The object cannot be without it. Add it."},
	{CODE_WRONG_KIND, CLASS_FAILED, "a value of the wrong kind",
	 "A map, a list or a single value stands where another of the three belongs. `mvapply "
	 "explain KEY` shows an example."},
	{CODE_EMPTY, CLASS_FAILED, "a value is empty",
	 "A key stands without a value. Write one, or remove the key: what holds without it is "
	 "said by `mvapply explain KEY`."},
	{CODE_NAME, CLASS_FAILED, "a name that cannot be one",
	 "Names of sets, networks, containers and the like have at most 63 letters, digits, '_', "
	 "'.' and '-', and begin with a letter or digit, as they are part of the mark in the "
	 "kernel."},
	{CODE_TEXT, CLASS_FAILED, "a text that cannot be what the key wants",
	 "A link's name, a namespace, a process id, a container's name, a host or a sysctl has a "
	 "form of its own, which is in the message."},
	{CODE_NUMBER, CLASS_FAILED, "not a number of the range",
	 "Write decimal digits, without a leading zero, sign or unit, within the range that the "
	 "message names."},
	{CODE_WORD, CLASS_FAILED, "not one of the words",
	 "The key takes certain words. YAML's other words for true and false (yes, on, 1) are "
	 "not taken for them."},
	{CODE_ADDRESS, CLASS_FAILED, "not an address or prefix",
	 "An address stands alone, a prefix has its length behind a '/'. The family has to be "
	 "that of the key."},
	{CODE_HOST_BITS, CLASS_FAILED, "a prefix with host bits",
	 "The bits behind the prefix's length have to be zero: 172.16.86.0/24, not "
	 "172.16.86.1/24."},
	{CODE_MAC, CLASS_FAILED, "not a MAC address of a station",
	 "Six bytes in hexadecimal with ':' or '-' between them, not all zero, and the first of "
	 "them even: an odd one is a multicast address."},
	{CODE_PARENT, CLASS_FAILED, "no parent that can be one",
	 "A network needs the name of a link to the LAN, or `internal: true`, which makes it a "
	 "dummy link of its own; a VLAN needs a parent, and has an id from 1 to 4094."},
	{CODE_DRIVER, CLASS_FAILED, "a key that the driver does not have",
	 "The modes bridge, private, vepa and passthru and the broadcast queue are macvlan's and "
	 "macvtap's, the modes l2, l3 and l3s are ipvlan's."},
	{CODE_SUBNET, CLASS_FAILED, "subnets that do not go together",
	 "A network has `subnet` with its keys, or the list `subnets`, of ranges that a LAN can "
	 "have and that do not overlap."},
	{CODE_MTU, CLASS_FAILED, "an MTU that is too small for IPv6",
	 "IPv6 needs packets of 1280 bytes (RFC 8200, section 5)."},
	{CODE_HOST_ACCESS, CLASS_FAILED, "host access in a mode that denies it",
	 "The host's own way into a network reaches its containers in mode bridge alone (or by "
	 "ipvlan)."},
	{CODE_PARENT_SHARED, CLASS_FAILED, "networks that cannot share their parent",
	 "A parent carries macvlans (and macvtaps) or ipvlans, not both, ipvlans of one mode, and "
	 "passthru has it alone: so the kernel wants it."},
	{CODE_RANGE_OVERLAP, CLASS_FAILED, "ranges of one LAN overlap",
	 "Two networks, or two hosts, would choose the same address. Give each a range of its "
	 "own."},
	{CODE_ADDRESS_OUTSIDE, CLASS_FAILED, "an address outside of its subnet",
	 "The gateway, the range, the further addresses and the containers' own have to be "
	 "within a subnet of the network, of their family."},
	{CODE_ADDRESS_RESERVED, CLASS_FAILED, "an address that is not free",
	 "It is the subnet's first or last address, the gateway, or one that `aux_addresses` "
	 "names as used elsewhere."},
	{CODE_TWICE_ON_LAN, CLASS_FAILED, "an address or MAC stands twice on a LAN",
	 "Two attachments below one parent and VLAN would answer to the same address. Choose "
	 "another for one of them."},
	{CODE_MAC_IPVLAN, CLASS_FAILED, "a MAC address for ipvlan",
	 "All ipvlans share the MAC address of their parent. Remove the key."},
	{CODE_INTERFACE_TAKEN, CLASS_FAILED, "a link's name is taken",
	 "Two links in one place cannot have the same name. Choose another interface_name."},
	{CODE_UNKNOWN_NETWORK, CLASS_FAILED, "a network that is not declared",
	 "A container names a network that its set does not have. Files of one set have the same "
	 "`name`."},
	{CODE_PASSTHRU, CLASS_FAILED, "a second attachment of a passthru network",
	 "In mode passthru one attachment has the parent for itself."},
	{CODE_ROUTE, CLASS_FAILED, "a route that cannot be",
	 "A route leads to a prefix outside of the network's own subnet, by way of a router that "
	 "is in one, of the same family, and once in a container. The default route is the "
	 "network's gateway."},
	{CODE_SOURCE, CLASS_FAILED, "where the container is cannot be told",
	 "A container is one of netns, pid, docker or podman, and no other container is the same "
	 "one."},
	{CODE_DECLARED_TWICE, CLASS_FAILED, "something is declared twice",
	 "The same name stands twice in a set, also in another file, or twice in a list. Rename "
	 "or remove one of the two."},
	{CODE_DHCP, CLASS_FAILED, "DHCP does not go with it",
	 "Where `dhcp` is true, the server on the LAN says which IPv4 address and router there "
	 "are, so that the file cannot, and the host does not know before. It takes a parent, "
	 "and a mode with broadcasts. Leave out the one or the other."},
	{CODE_FLEET_OPEN, CLASS_FAILED, "an address is left open on a LAN of several hosts",
	 "Hosts do not ask each other: a host chooses from a range of its own, which `ip_range` "
	 "as a map of hosts gives it; or the address is written down."},
	{CODE_FLEET_SAID, CLASS_FAILED, "an address would be on several hosts",
	 "What is written down lives on one host, named in `hosts`, and not in another host's "
	 "range."},
	{CODE_FLEET_HOST, CLASS_FAILED, "a host that the network is not on",
	 "A range or a container names a host that the network's own `hosts` leave out."},
	{CODE_PARENT_ABSENT, CLASS_FAILED, "the parent is not there",
	 "The host has no link of the name that `parent` gives. `ip link` shows those that it "
	 "has. The rest is done; `watch` goes on by itself when the link comes."},
	{CODE_PARENT_STACKED, CLASS_FAILED, "the parent is a macvlan, macvtap or ipvlan itself",
	 "The kernel would put the new link on what is below. Name that link as the parent."},
	{CODE_PARENT_PORT, CLASS_FAILED, "the parent is a port",
	 "A port of a bridge, bond or team gives all its frames to its master. Use the master as "
	 "the parent, or take the port out of it."},
	{CODE_PARENT_DOWN, CLASS_FAILED, "the parent is down",
	 "Nothing can be brought up on a link that is down: `ip link set PARENT up`."},
	{CODE_PARENT_MTU, CLASS_FAILED, "an MTU above the parent's",
	 "A link cannot send packets larger than what it is on can. Raise the parent's MTU, or "
	 "lower the network's."},
	{CODE_VLAN_NAME, CLASS_FAILED, "the VLAN link's name would be too long",
	 "A link's name has at most 15 bytes, and a VLAN's is that of its parent with the id. A "
	 "VLAN link that is there already is used, whatever it is called."},
	{CODE_MARK_FULL, CLASS_FAILED, "too many sets on one VLAN link",
	 "The link's mark names the sets that use it, and has room for 255 bytes. Use fewer sets "
	 "or shorter names."},
	{CODE_ADDRESS_TAKEN, CLASS_FAILED, "an address is taken by another attachment",
	 "Two attachments below one parent on this host want the same address. Give one of them "
	 "another."},
	{CODE_SUBNET_FULL, CLASS_FAILED, "no address is free",
	 "Every address of the range is used, reserved or the gateway's. Widen `ip_range` or the "
	 "subnet."},
	{CODE_HELD, CLASS_FAILED, "another attachment holds the name or MAC",
	 "It was to give them up, but cannot be changed now, and says itself why. Mend that "
	 "first."},
	{CODE_TWICE, CLASS_FAILED, "another set has attached the container already",
	 "It has, or gets, a link of that set on the same parent and subnet, so that it would be on that LAN "
	 "twice. If the set was renamed (`name:`), or its file is gone, `mvapply delete --name SET` "
	 "removes what it left; else one of the two sets has to name another network."},
	{CODE_NAMESPACE, CLASS_FAILED, "not a network namespace",
	 "What the container's source leads to is none, or cannot be reached. `ip netns` shows "
	 "the named ones; a path has to be absolute."},
	{CODE_NAMESPACE_HOST, CLASS_FAILED, "the host's own network namespace",
	 "mvapply never attaches the host's own namespace as if it were a container. Run the "
	 "container with `--network none`. For the host's own way into a network there is the "
	 "key `host`."},
	{CODE_NAMESPACE_OTHER, CLASS_FAILED, "the engine's process is another one here",
	 "The engine counts processes otherwise than this namespace of processes does, so that "
	 "the number leads to somebody else. Run mvapply where the engine runs."},
	{CODE_ENGINE_SILENT, CLASS_FAILED, "the engine does not answer",
	 "Docker or Podman is not running, not at its usual socket, or did not answer within "
	 "10 s. The containers that it was asked about are pending meanwhile, and nothing of "
	 "theirs is deleted. Start it, say in DOCKER_HOST or CONTAINER_HOST where it is, or "
	 "restart one that hangs. The service asks again by itself."},
	{CODE_ENGINE_PLACE, CLASS_FAILED, "the engine's address is not one of this machine",
	 "DOCKER_HOST or CONTAINER_HOST has to be unix:///PATH: the containers of another "
	 "machine cannot be reached. Unset it, or run mvapply there."},
	{CODE_ENGINE_ANSWER, CLASS_FAILED, "the engine answers otherwise than it should",
	 "Something else listens at the socket, or the engine failed; the message has what it "
	 "said. `docker info` or `podman info` asks the same socket."},
	{CODE_ENGINE_LIBRARY, CLASS_FAILED, "libcurl is not there",
	 "It is loaded only when an engine has to be asked. Install it (libcurl4 on Debian, "
	 "libcurl elsewhere), or name containers by `netns` or `pid`."},
	{CODE_SERVICE_SCALED, CLASS_FAILED, "a Compose service of several containers",
	 "An attachment has one address and belongs to one container. It stays with the container "
	 "that has it already, which a warning names; where none of them has it, it is blocked. "
	 "Name each container by its own name."},
	{CODE_NAMESPACE_OWNER, CLASS_FAILED,
	 "a user's own engine names a namespace that is not that user's",
	 "Who listens at the engine's socket is not root, and so is believed about network "
	 "namespaces alone that belong to a user namespace of that user's, as those of a rootless "
	 "engine's containers do. Let DOCKER_HOST or CONTAINER_HOST name root's own socket, not a "
	 "proxy of another user's, or name the container by `netns` or `pid`."},
	{CODE_LINK_FOREIGN, CLASS_FAILED, "a link that is not ours has the name",
	 "What has no mark of mvapply's is never changed. Give another `interface_name`, remove "
	 "the link, or let `--adopt` take it over, if it is of the same kind and parent. In a "
	 "container's namespace this keeps its attachment alone from being made; on the host, "
	 "nothing is touched."},
	{CODE_MAC_FOREIGN, CLASS_FAILED, "a link that is not ours has the MAC address",
	 "Two links below one parent would answer to the same MAC. Give another `mac_address`, "
	 "or remove that link. Where it is in another namespace than the host's, this attachment "
	 "alone is not made."},
	{CODE_ADDRESS_FOREIGN, CLASS_FAILED, "a link that is not ours has the address",
	 "Give the attachment another address, or take it from the link that the message names. "
	 "Where that is in another namespace than the host's, this attachment alone is not made."},
	{CODE_ROUTE_FOREIGN, CLASS_FAILED, "the namespace has such a route already",
	 "Somebody else made a route to the same destination. Remove it, leave this one out, or "
	 "let `--adopt` replace it. It keeps the attachment of that container alone from being "
	 "made."},
	{CODE_PARENT_COMPANY, CLASS_FAILED, "links that are not ours are on the parent",
	 "A parent carries macvlans (and macvtaps) or ipvlans, not both, and passthru has it "
	 "alone. Use another parent, or remove the link that the message names. Where that is in another namespace "
	 "than the host's, only the attachments that cannot be beside it are not made."},
	{CODE_VLAN_FOREIGN, CLASS_FAILED, "another link has the VLAN link's name",
	 "It has another id or parent, or is no VLAN at all. Rename or remove it: `ip link set "
	 "NAME name OTHER`."},
	{CODE_GUARD, CLASS_FAILED, "too much would be deleted",
	 "The run would delete more of a set's live attachments than `--max-delete` allows, "
	 "which a file that was emptied by mistake looks like; or all of them, as the files declare "
	 "no container that is live of it, neither by its name nor by its namespace, so that they "
	 "are most likely another set's, whatever networks they have: give that a `name`, or pass "
	 "all files of the set. If it is meant, as where a set's only container gives way to "
	 "another, say `--max-delete=N`."},
	{CODE_PLAN_MOVED, CLASS_FAILED, "the host has changed since the plan was saved",
	 "A saved plan is done as it was approved, or not at all. Make and review a new one with "
	 "`mvapply diff --out`."},
	{CODE_UNCONFIRMED, CLASS_REFUSED, "an apply waits for its confirmation",
	 "Until `mvapply confirm`, or until it has gone back, nobody else may change anything."},
	{CODE_SYSTEM, CLASS_FAILED, "the system refuses",
	 "The message says what was tried, and has the system's own words for why not."},
	{CODE_RIGHTS, CLASS_FAILED, "a right is missing",
	 "Run mvapply as root, or with CAP_NET_ADMIN, CAP_SYS_ADMIN and CAP_NET_RAW; `mvapply "
	 "doctor` says which is missing. A security module may deny it, too."},
	{CODE_KERNEL_LACKS, CLASS_FAILED, "the kernel does not have it",
	 "The module for the kind of link is not there. `modprobe` it, or install the package "
	 "with the kernel's further modules."},
	{CODE_PARENT_BUSY, CLASS_FAILED, "the parent takes no such link",
	 "It is in a bridge or bond, carries links of the other driver, or a passthru link. `ip "
	 "-d link show` tells what is on it."},
	{CODE_MAC_BUSY, CLASS_FAILED, "the MAC address is used on the parent",
	 "Give another `mac_address`, or remove the other link. That one may be in a network "
	 "namespace that a container has left, and that a socket alone keeps: nothing leads there, "
	 "and it ends with the process that has the socket."},
	{CODE_MEANWHILE, CLASS_FAILED, "somebody changed it meanwhile",
	 "Between the look and the change a link went, came, or took the name. Run mvapply "
	 "again: it looks anew."},
	{CODE_ADDRESS_ANSWERED, CLASS_FAILED, "somebody on the LAN has the address",
	 "It was probed for, and answered with the MAC in the message. Give the attachment "
	 "another address, or take it from that machine."},
	{CODE_KERNEL_ANSWER, CLASS_FAILED, "the kernel's answer was lost",
	 "It did not come, was cut, or was malformed. Run mvapply again: it looks anew."},
	{CODE_ROUTE_UNREACHABLE, CLASS_FAILED, "the next hop is not on the link",
	 "No subnet of the link contains the router of the route. Mend `via`, or the subnet."},
	{CODE_KERNEL_VALUE, CLASS_FAILED, "the kernel takes no such value",
	 "The key that the message names is out of the range that the driver or the parent "
	 "allows, or is a sysctl that this kernel does not have."},
	{CODE_STILL_PENDING, CLASS_FAILED, "containers were not there in time",
	 "The time of `--wait` is over. Start them, or wait longer with `--wait=SECONDS`; "
	 "`watch` attaches them whenever they come."},
	{CODE_REVERTED, CLASS_FAILED, "not confirmed, and gone back",
	 "Everything is what it was before the apply."},
	{CODE_NOT_REVERTED, CLASS_FAILED, "not confirmed, and gone back in part",
	 "What could not be put back is listed. `mvapply diff` shows what differs from the file."},
	{CODE_NOTHING_TO_CONFIRM, CLASS_FAILED, "nothing to confirm",
	 "No apply of this user waits: it was confirmed already, or has gone back. `mvapply "
	 "status` shows what is live."},
	{CODE_SET_ABSENT, CLASS_FAILED, "nothing of the set is live",
	 "An export of a set that is not there would be an empty file, and there is nothing to "
	 "delete of it. `mvapply status` shows the sets that are."},
	{CODE_DHCP_SILENT, CLASS_FAILED, "no DHCP server answers",
	 "The link is there, but has no IPv4 address; one that it has already holds until its "
	 "lease ends. Look whether the parent, or its VLAN, is on the server's LAN, and whether "
	 "the server has addresses left. Run mvapply again, or let `watch` go on asking."},
	{CODE_DHCP_CLIENT, CLASS_FAILED, "the DHCP client does not run",
	 "mvapply gets leases by udhcpc, which is part of busybox. Install it (udhcpc on Debian, "
	 "busybox elsewhere); in a service it needs the rights of "
	 "examples/systemd/mvapply.service.d/dhcp.conf. The message has what it said itself."},
	{CODE_DHCP_UNFIT, CLASS_FAILED, "the DHCP server's lease is of no use",
	 "A lease has an address of a LAN, a subnet mask of /8 or longer (option 1), and holds for "
	 "30 seconds or more (option 51); the message says what is not so. Nothing of it is "
	 "taken. It is the server's to set right, or whoever is the first to answer is not the "
	 "server that is meant."},
	{CODE_UNSEEN, CLASS_FAILED, "a network namespace could not be looked at",
	 "An object of the set may be there, which is then neither changed nor removed: the "
	 "warnings name the namespace and the reason. What could be looked at is done. Run mvapply "
	 "again; as root, if it was not."},
	{CODE_LOCKED, CLASS_FAILED, "another one holds the lock",
	 "Whatever changes the host's network does so one after the other. The process that the "
	 "message names has not come to its end in two minutes: it may have been stopped (fg, or "
	 "kill -CONT), or have very much to do. Nothing was touched; run mvapply again."},
	{CODE_JSON, CLASS_FAILED, "the output cannot be written as JSON",
	 "A text in it is not UTF-8. Names of links, network namespaces and files are written with "
	 "\\xNN for each byte that is no text; the files' own bytes, which a saved plan holds, have "
	 "to be UTF-8. Nothing was written."},
	{CODE_CROWDED, CLASS_FAILED, "a network namespace has more in it than is looked at",
	 "Of addresses and of routes, 1 MiB of the kernel's listing are read for each container, some "
	 "20,000 routes, as all others wait meanwhile. What is in the namespace stays as it is; "
	 "remove what fills it, and run mvapply again."},
	{CODE_DESCRIPTORS, CLASS_FAILED, "too many files are open",
	 "A look at all network namespaces takes up to two descriptors for each. mvapply raises "
	 "its own limit as far as it may: raise the hard limit, by `LimitNOFILE=` of the unit or "
	 "`ulimit -Hn`."},
	{CODE_SET_KEPT, CLASS_FAILED, "another service keeps the set",
	 "Two services would undo each other's work. End the one that the message names, or give "
	 "the sets of one of them other names with `name:`."},
	{CODE_COMMAND, CLASS_USAGE, "no such command", "`mvapply --help` lists them."},
	{CODE_OPTION, CLASS_USAGE, "no such option",
	 "`--help` behind the command lists those that it takes."},
	{CODE_OPTION_VALUE, CLASS_USAGE, "an option's value is missing or wrong",
	 "`--help` behind the command shows what each option takes."},
	{CODE_WORDS, CLASS_USAGE, "a word too many",
	 "The command takes no further words. Files are named with `-f`."},
	{CODE_NO_FILE, CLASS_USAGE, "no file is named",
	 "Name one with `-f`; `-` is the standard input."},
	{CODE_TOGETHER, CLASS_USAGE, "options that do not go together",
	 "`--confirm` watches over one plan, `--wait` makes one after the other; a saved plan "
	 "has its own files and options; `delete --name` is for a set without its files."},
	{CODE_EXPLAIN, CLASS_USAGE, "nothing to explain by that name",
	 "`mvapply explain` lists the keys of the files, `mvapply explain MV` the codes of "
	 "errors."},
	{CODE_IMPORT, CLASS_USAGE, "nothing to import from",
	 "Import from `docker`, `podman`, `compose FILE`, `cni PATH...` or `quadlet PATH...`. If "
	 "Podman listens on Docker's socket, use `mvapply import podman`."},
	{CODE_IMPORT_FILE, CLASS_USAGE, "not a file of that kind",
	 "A Compose file is YAML with a map at its top, a CNI configuration a JSON object."},
};

const struct code_text *code_at(size_t index)
{
	return index < sizeof(texts) / sizeof(texts[0]) ? &texts[index] : NULL;
}

enum code_class code_class(enum code code)
{
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (texts[i].code == code)
			return texts[i].code_class;
	return CLASS_FAILED;
}

const char *code_format(enum code code, char text[CODE_TEXT_SIZE])
{
	snprintf(text, CODE_TEXT_SIZE, "MV%04u", (unsigned)code % 10000);
	return text;
}

const char *coded(struct arena *arena, const char *message, enum code code)
{
	char text[CODE_TEXT_SIZE];
	return code ? arena_printf(arena, "%s [%s]", message, code_format(code, text)) : message;
}
