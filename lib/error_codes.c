#include "lib/error_codes.h"

#include <stdio.h>

static const struct code_text texts[] = {
	{CODE_FILE, CLASS_FAILED, "a file cannot be read",
	 "The path does not exist, is not a file or a directory, exceeds "
	 "the size limit, or is not readable. Check the path given with "
	 "-f."},
	{CODE_TRUST, CLASS_FAILED, "a file is writable by others",
	 "As root, mvapply reads only files and directories that nobody can write except root "
	 "and the user who called sudo, because they control what root does. Remove the "
	 "permission with chmod, or pass --insecure."},
	{CODE_ENCODING, CLASS_FAILED, "invalid character",
	 "The file contains a byte that is not UTF-8, a control "
	 "character or a NUL. Save it as UTF-8."},
	{CODE_YAML, CLASS_FAILED, "YAML syntax error",
	 "A quote or bracket is not closed, the indentation is "
	 "inconsistent, or a token is misplaced. The message points at "
	 "where the parser stopped; the cause may be on the line above."},
	{CODE_YAML_KEY, CLASS_FAILED, "a key is missing, not a single word, or duplicate",
	 "Each key of a map occurs once: a second one would hide the "
	 "first value."},
	{CODE_YAML_UNSUPPORTED, CLASS_FAILED, "unsupported YAML feature",
	 "Anchors, aliases, tags and merge keys are not supported. Write each value in full where "
	 "it is used."},
	{CODE_TOO_MUCH, CLASS_FAILED, "a limit is exceeded",
	 "The file is nested too deeply, has too many values, or has too many hosts to compare. "
	 "The limits bound memory and time."},
	{CODE_SAVED_PLAN, CLASS_FAILED, "not a saved plan",
	 "`mvapply apply FILE` applies an unmodified file that `mvapply diff --out` wrote. Pass "
	 "configuration files with -f."},
	{CODE_UNKNOWN_KEY, CLASS_FAILED, "unknown key",
	 "The key does not exist at this place: it is misspelled, belongs to another object "
	 "(check the indentation), or has another name in Compose or Docker. `mvapply explain` "
	 "lists all keys."},
	{CODE_MISSING_KEY, CLASS_FAILED, "a required key is missing",
	 "The object requires this key. Add it."},
	{CODE_WRONG_KIND, CLASS_FAILED, "a value of the wrong type",
	 "A map, a list or a single value is used where another "
	 "of the three is required. `mvapply explain KEY` shows "
	 "an example."},
	{CODE_EMPTY, CLASS_FAILED, "a value is empty",
	 "A key has no value. Write one, or remove the key: `mvapply "
	 "explain KEY` shows the default."},
	{CODE_NAME, CLASS_FAILED, "invalid name",
	 "Names of sets, networks, containers and aux addresses have at "
	 "most 63 letters, digits, '_', '.' and '-', and start with a "
	 "letter or digit, because they are part of the owner tag in the "
	 "kernel."},
	{CODE_TEXT, CLASS_FAILED, "invalid text for the key",
	 "Names of links, namespaces, containers and hosts, process ids and sysctls each have "
	 "their own format, which the message states."},
	{CODE_NUMBER, CLASS_FAILED, "number out of range",
	 "Write decimal digits, without a leading zero, sign or "
	 "unit, within the range that the message states."},
	{CODE_WORD, CLASS_FAILED, "not one of the allowed words",
	 "The key accepts certain words only. YAML's alternatives for true and false (yes, on, 1) "
	 "are not accepted."},
	{CODE_ADDRESS, CLASS_FAILED, "not an address or prefix",
	 "An address has no prefix length; a prefix has one after a '/'. The family must "
	 "match the key."},
	{CODE_HOST_BITS, CLASS_FAILED, "a prefix with host bits set",
	 "The bits after the prefix length must be zero: 172.16.86.0/24, not "
	 "172.16.86.1/24."},
	{CODE_MAC, CLASS_FAILED, "not a unicast MAC address",
	 "Write six hexadecimal bytes separated by ':' or '-', not all zero, with an even "
	 "first byte: an odd one is a multicast address."},
	{CODE_PARENT, CLASS_FAILED, "invalid or missing parent",
	 "A network requires `parent`, the name of a link to the LAN, or "
	 "`internal: true`, which creates a dummy link. A VLAN requires a parent "
	 "and an id from 1 to 4094."},
	{CODE_DRIVER, CLASS_FAILED, "key not supported by the driver",
	 "The modes bridge, private, vepa and passthru and `bcqueuelen` belong to "
	 "macvlan and macvtap; the modes l2, l3 and l3s belong to ipvlan."},
	{CODE_SUBNET, CLASS_FAILED, "conflicting subnets",
	 "A network has either `subnet` with its keys or the list `subnets`. Each is a "
	 "unicast subnet, and they do not overlap."},
	{CODE_MTU, CLASS_FAILED, "MTU too small for IPv6",
	 "IPv6 requires an MTU of at least 1280 bytes (RFC 8200, section "
	 "5)."},
	{CODE_HOST_ACCESS, CLASS_FAILED, "host access is not possible in this mode",
	 "The host's own link reaches the network's containers only in mode bridge or by "
	 "ipvlan."},
	{CODE_PARENT_SHARED, CLASS_FAILED, "networks cannot share a parent",
	 "A parent carries either macvlan and macvtap links or ipvlan links of a single "
	 "mode; mode passthru requires a parent of its own. This is a limit of the kernel."},
	{CODE_RANGE_OVERLAP, CLASS_FAILED, "ranges on a LAN overlap",
	 "Two networks, or two hosts, would allocate the same address. Give each its own "
	 "range."},
	{CODE_RANGE_EXCLUDED, CLASS_FAILED, "every address of a range is excluded",
	 "`exclude` contains all of `ip_range`, or the whole subnet without one. Remove addresses "
	 "from `exclude`."},
	{CODE_ADDRESS_OUTSIDE, CLASS_FAILED, "address outside the subnet",
	 "The gateway, `ip_range`, `exclude`, aux addresses and the addresses of containers must be in "
	 "a subnet of the network, and of its family."},
	{CODE_ADDRESS_RESERVED, CLASS_FAILED, "reserved address",
	 "The address is the first or last of the subnet, the gateway, or listed in "
	 "`aux_addresses`. Choose another address."},
	{CODE_TWICE_ON_LAN, CLASS_FAILED, "duplicate address or MAC address on a LAN",
	 "Two attachments on one parent and VLAN have the same address. Change one of "
	 "them."},
	{CODE_MAC_IPVLAN, CLASS_FAILED, "MAC address set for ipvlan",
	 "All ipvlan links share the MAC address of their parent. Remove "
	 "`mac_address`."},
	{CODE_INTERFACE_IN_USE, CLASS_FAILED, "duplicate interface name",
	 "Two links in one network namespace cannot have the same name. Choose another "
	 "interface_name."},
	{CODE_UNKNOWN_NETWORK, CLASS_FAILED, "network not declared",
	 "A container refers to a network that its set does not declare. "
	 "Documents of one set have the same `name`."},
	{CODE_PASSTHRU, CLASS_FAILED, "second attachment to a passthru network",
	 "In mode passthru, a parent takes one attachment."},
	{CODE_ROUTE, CLASS_FAILED, "invalid route",
	 "A route leads to a prefix outside the network's own subnet, through a router in a "
	 "subnet of the network and of the same family. A destination occurs once in a container. "
	 "The default route comes from the network's `gateway`."},
	{CODE_SOURCE, CLASS_FAILED, "invalid container source",
	 "A container has one of `netns`, `pid`, `docker` and "
	 "`podman`, and no two containers have the same source."},
	{CODE_DECLARED_TWICE, CLASS_FAILED, "duplicate declaration",
	 "The same name occurs twice in a set, possibly in two files, or twice in "
	 "a list. Rename or remove one of the two."},
	{CODE_DHCP, CLASS_FAILED, "conflict with DHCP",
	 "With `dhcp: true`, the DHCP server assigns the IPv4 address and the router, so the "
	 "configuration cannot set them. It requires a parent and a mode that passes broadcasts. "
	 "Remove `dhcp` or the key that conflicts with it."},
	{CODE_ACCEPT_RA, CLASS_FAILED, "router advertisements not possible",
	 "With `accept_ra: true`, the kernel takes IPv6 addresses from the router advertisements of "
	 "the LAN. It requires a parent and a mode that passes multicasts. Remove `accept_ra` or the "
	 "key that conflicts with it."},
	{CODE_MULTI_HOST_UNASSIGNED, CLASS_FAILED, "address not set on a LAN with several hosts",
	 "Hosts do not coordinate their addresses. Give each host a range of its own (`ip_range` "
	 "as a map of hosts), or set the address."},
	{CODE_MULTI_HOST_ADDRESS, CLASS_FAILED, "address used by several hosts",
	 "An address that the configuration sets belongs to one host: "
	 "list that host in `hosts`, and choose an address outside the "
	 "ranges of other hosts."},
	{CODE_MULTI_HOST_OTHER_HOST, CLASS_FAILED, "host not in the network's hosts",
	 "A range or a container names a host that the network's `hosts` "
	 "do not include."},
	{CODE_PARENT_ABSENT, CLASS_FAILED, "parent not found",
	 "The host has no link with the name in `parent`. `ip link` lists the "
	 "host's links. Other networks are applied; `watch` continues when the "
	 "link appears."},
	{CODE_PARENT_STACKED, CLASS_FAILED, "the parent is a macvlan, macvtap or ipvlan link",
	 "The kernel would create the new link on the parent of that link. Use "
	 "that parent."},
	{CODE_PARENT_PORT, CLASS_FAILED, "the parent is a port",
	 "A port of a bridge, bond or team passes all its frames to its master. "
	 "Use the master as the parent, or remove the port from it."},
	{CODE_PARENT_DOWN, CLASS_FAILED, "parent is down",
	 "No link on a parent can be brought up while the parent "
	 "is down: `ip link set PARENT up`."},
	{CODE_PARENT_MTU, CLASS_FAILED, "MTU larger than the parent's",
	 "A link cannot have a larger MTU than its parent. Raise the "
	 "parent's MTU, or lower the network's."},
	{CODE_VLAN_NAME, CLASS_FAILED, "VLAN link name too long",
	 "A link name has at most 15 bytes, and the name of a VLAN link consists of the parent's "
	 "name and the id. An existing VLAN link is used, whatever its name."},
	{CODE_OWNER_TAG_FULL, CLASS_FAILED, "too many sets on one VLAN link",
	 "The owner tag of the link lists the sets that use it, and has room for "
	 "255 bytes. Use fewer sets or shorter names."},
	{CODE_ADDRESS_IN_USE, CLASS_FAILED, "address used by another attachment",
	 "Two attachments on one parent of this host have the same "
	 "address. Change one of them."},
	{CODE_SUBNET_FULL, CLASS_FAILED, "no free address",
	 "Every address of the range is in use, reserved or the gateway. "
	 "Widen `ip_range` or the subnet. Without `gateway` and `ip_range`, the first and the last "
	 "address are kept for a router of the LAN: set `ip_range` to use them."},
	{CODE_IDENTITY_IN_USE, CLASS_FAILED, "name or MAC address held by another attachment",
	 "The other attachment would release it, but cannot be "
	 "changed; its own error states why. Resolve that error "
	 "first."},
	{CODE_TWICE, CLASS_FAILED, "container already attached by another set",
	 "The container has, or gets, a link of another set on the same parent "
	 "and subnet, and would be on that LAN twice. If the set was renamed "
	 "(`name:`), or its file was removed, `mvapply delete --name SET` removes "
	 "its objects; otherwise remove the network from one of the two sets."},
	{CODE_PARENT_TYPE, CLASS_FAILED, "the parent is not an Ethernet link",
	 "The kernel accepts macvlan, ipvlan and VLAN links on Ethernet links only: not on a tun, "
	 "WireGuard, PPP or other tunnel link, not on InfiniBand, WWAN or CAN, and not on a VRF "
	 "device. Use an Ethernet link as the parent. Other networks are applied."},
	{CODE_NAMESPACE, CLASS_FAILED, "not a network namespace",
	 "The container's source is not a network namespace, or "
	 "cannot be opened. `ip netns` lists named namespaces; a "
	 "path must be absolute."},
	{CODE_NAMESPACE_HOST, CLASS_FAILED, "the host's own network namespace",
	 "mvapply never attaches the host's own network namespace as a container. Run the "
	 "container with `--network none`. To give the host a link on a network, use the key "
	 "`host`."},
	{CODE_NAMESPACE_OTHER, CLASS_FAILED, "process id of another process namespace",
	 "The engine runs in another process namespace, so its process ids refer to other "
	 "processes here. Run mvapply in the process namespace of the engine."},
	{CODE_ENGINE_SILENT, CLASS_FAILED, "container engine not responding",
	 "Docker or Podman is not running, does not listen on its default socket, or did "
	 "not answer within 10 s. Its containers are pending, and none of their objects "
	 "is deleted. Start the engine, set DOCKER_HOST or CONTAINER_HOST to its socket, "
	 "or restart an engine that hangs. The service retries on its own."},
	{CODE_ENGINE_PLACE, CLASS_FAILED, "container engine not on this machine",
	 "DOCKER_HOST or CONTAINER_HOST must be unix:///PATH: containers of "
	 "another machine cannot be attached. Unset the variable, or run mvapply "
	 "on that machine."},
	{CODE_ENGINE_ANSWER, CLASS_FAILED, "invalid answer from the container engine",
	 "Another program listens on the socket, or the engine failed; the message has "
	 "its answer. `docker info` or `podman info` use the same socket."},
	{CODE_ENGINE_LIBRARY, CLASS_FAILED, "libcurl not installed",
	 "libcurl is loaded only to query a container engine. Install it (libcurl4 on Debian, "
	 "libcurl elsewhere), or specify containers by `netns` or `pid`."},
	{CODE_SERVICE_SCALED, CLASS_FAILED, "Compose service with several containers",
	 "An attachment has one address and belongs to one container. It stays "
	 "with the container that has it, which a warning names; if none has it, "
	 "it is blocked. Declare each container by its own name."},
	{CODE_NAMESPACE_OWNER, CLASS_FAILED, "namespace not owned by the user of the engine",
	 "A non-root process listens on the engine's socket. Its answers are "
	 "accepted only for network namespaces in a user namespace of that user, "
	 "as a rootless engine has. Set DOCKER_HOST or CONTAINER_HOST to root's "
	 "own socket, not to a proxy of another user, or specify the container by "
	 "`netns` or `pid`."},
	{CODE_LINK_UNMANAGED, CLASS_FAILED, "name used by an unmanaged link",
	 "mvapply never modifies a link without its owner tag. "
	 "Set another `interface_name`, remove the link, or pass "
	 "`--adopt` to take it over if it has the same kind and "
	 "parent. In a container's namespace only this attachment "
	 "is blocked; on the host, nothing is applied."},
	{CODE_MAC_UNMANAGED, CLASS_FAILED, "MAC address used by an unmanaged link",
	 "Two links on one parent would have the same MAC address. Set another "
	 "`mac_address`, or remove the other link. If that link is outside the host's "
	 "namespace, only this attachment is blocked."},
	{CODE_ADDRESS_UNMANAGED, CLASS_FAILED, "address used by an unmanaged link",
	 "Give the attachment another address, or remove the "
	 "address from the link that the message names. If that "
	 "link is outside the host's namespace, only this "
	 "attachment is blocked."},
	{CODE_ROUTE_UNMANAGED, CLASS_FAILED, "route used by another program",
	 "A route to the same destination exists that mvapply did not create. Remove it, remove "
	 "the route from the configuration, or pass `--adopt` to replace it. Only the attachment "
	 "of that container is blocked."},
	{CODE_PARENT_UNMANAGED, CLASS_FAILED, "unmanaged links on the parent",
	 "A parent carries either macvlan and macvtap links or "
	 "ipvlan links, and mode passthru requires a parent of "
	 "its own. Use another parent, or remove the link that "
	 "the message names. If that link is outside the host's "
	 "namespace, only the attachments that conflict with it "
	 "are blocked."},
	{CODE_VLAN_UNMANAGED, CLASS_FAILED, "VLAN link name used by another link",
	 "The VLAN link would get a name that another link has, which mvapply never renames. To "
	 "attach to that link, name it as the `parent` without `vlan` and `vlan_protocol`. For "
	 "the VLAN, create a VLAN link of another name: mvapply uses it, whatever its name. The "
	 "name of a VLAN link consists of the parent's name and the id, so links of both "
	 "protocols with one id have the same name."},
	{CODE_GUARD, CLASS_FAILED, "too many deletions",
	 "The run would delete more of a set's live attachments than `--max-delete` allows, for "
	 "example because a file was emptied by mistake; or it would delete all of them, and the "
	 "files declare none of the set's live containers, neither by name nor by namespace: "
	 "they are probably files of another set. In that case set another `name` in the files, "
	 "or pass all files of the set. If the deletions are intended, for example because the "
	 "set's only container is replaced, pass `--max-delete=N`. `delete -f` is refused if its "
	 "files declare no live object of the set; `delete --name SET` deletes the set without "
	 "its files."},
	{CODE_PLAN_STALE, CLASS_FAILED, "host changed since the plan was saved",
	 "A saved plan is applied as it was approved, or not at all. Create and "
	 "review a new plan with `mvapply diff --out`."},
	{CODE_UNCONFIRMED, CLASS_REFUSED, "an apply waits for its confirmation",
	 "Until `mvapply confirm`, or until the changes are rolled back, no other "
	 "run can change anything."},
	{CODE_SYSTEM, CLASS_FAILED, "system call failed",
	 "The message states the operation and the system's own "
	 "error."},
	{CODE_RIGHTS, CLASS_FAILED, "missing capability",
	 "Run mvapply as root, or with CAP_NET_ADMIN, CAP_SYS_ADMIN and "
	 "CAP_NET_RAW; `mvapply doctor` shows which one is missing. A security "
	 "module can also deny the operation."},
	{CODE_KERNEL_LACKS, CLASS_FAILED, "not supported by the kernel",
	 "The message names what the kernel lacks. If it is a module, load it with `modprobe`, or "
	 "install the package with the kernel's extra modules. A feature of a later version needs "
	 "such a kernel; without it the key has no effect, or the behaviour that the message "
	 "states."},
	{CODE_PARENT_BUSY, CLASS_FAILED, "the parent does not accept the link",
	 "The parent is in a bridge or bond, carries links of the other driver, "
	 "or carries a passthru link. `ip -d link show` lists the links on it."},
	{CODE_MAC_BUSY, CLASS_FAILED, "MAC address in use on the parent",
	 "Set another `mac_address`, or remove the other link. That link may be "
	 "in a network namespace that its container has left and that only an "
	 "open socket keeps alive: no path leads to it, and it ends with the "
	 "process that has the socket."},
	{CODE_MEANWHILE, CLASS_FAILED, "changed by another program",
	 "A link was removed, created or renamed while mvapply ran. Run mvapply again."},
	{CODE_ADDRESS_ANSWERED, CLASS_FAILED, "address in use on the LAN",
	 "A machine answered the address probe with the MAC address in the "
	 "message. Give the attachment another address, or remove it from that "
	 "machine."},
	{CODE_KERNEL_ANSWER, CLASS_FAILED, "lost answer from the kernel",
	 "The answer did not arrive, was truncated, or was malformed. Run mvapply again."},
	{CODE_ROUTE_UNREACHABLE, CLASS_FAILED, "next hop not on the link",
	 "The link has no address in the subnet of the route's router: another program removed the "
	 "address or the link, or set it down, while mvapply ran. Run mvapply again."},
	{CODE_KERNEL_VALUE, CLASS_FAILED, "value rejected by the kernel",
	 "The key that the message names is out of the range that "
	 "the driver or the parent allows, or is a sysctl that "
	 "this kernel does not have."},
	{CODE_STILL_PENDING, CLASS_FAILED, "containers not running in time",
	 "The time of `--wait` is over. Start the containers, or wait "
	 "longer with `--wait=SECONDS`; `watch` attaches them whenever "
	 "they start."},
	{CODE_REVERTED, CLASS_FAILED, "not confirmed, rolled back",
	 "Everything is as it was before the apply."},
	{CODE_NOT_REVERTED, CLASS_FAILED, "not confirmed, partly rolled back",
	 "The output lists what could not be restored. `mvapply diff` shows the "
	 "differences to the configuration."},
	{CODE_NOTHING_TO_CONFIRM, CLASS_FAILED, "nothing to confirm",
	 "No apply of this user waits for a confirmation: it was confirmed, or was rolled back. "
	 "`mvapply status` shows the live state."},
	{CODE_SET_ABSENT, CLASS_FAILED, "the set has no live objects",
	 "There is nothing to export or delete. `mvapply status` shows the live sets."},
	{CODE_DHCP_SILENT, CLASS_FAILED, "no answer from a DHCP server",
	 "The link exists, but has no IPv4 address; an address from an earlier lease remains "
	 "until that lease ends. Check that the parent, or its VLAN, is on the server's LAN, and "
	 "that the server has free addresses. Run mvapply again, or use `watch`, which retries."},
	{CODE_DHCP_CLIENT, CLASS_FAILED, "DHCP client not available",
	 "mvapply requests leases with udhcpc, which is part of busybox. Install it (udhcpc on "
	 "Debian, busybox elsewhere); in a service it needs the capabilities of "
	 "examples/systemd/mvapply.service.d/dhcp.conf. The message has the client's own error."},
	{CODE_DHCP_UNFIT, CLASS_FAILED, "invalid DHCP lease",
	 "A lease requires a unicast address, a subnet mask of /8 or longer (option 1), and a "
	 "time of 30 seconds or more (option 51); the message states what is wrong. The lease is "
	 "not used. Correct the server's configuration, or check that no other DHCP server "
	 "answers first."},
	{CODE_UNREADABLE, CLASS_FAILED, "a network namespace could not be read",
	 "An object of the set may be in that namespace; it is neither changed nor removed. The "
	 "warnings name the namespace and the reason. All other namespaces are processed. Run "
	 "mvapply again, as root if it was not."},
	{CODE_LOCKED, CLASS_FAILED, "lock held by another process",
	 "Only one process at a time changes the host's network. The process that the message "
	 "names did not release the lock within two minutes: it may be stopped (`fg`, or `kill "
	 "-CONT`), or have many changes to make. Nothing was changed; run mvapply again."},
	{CODE_JSON, CLASS_FAILED, "output cannot be written as JSON",
	 "A text in the output is not UTF-8. Names of links, network namespaces and files are "
	 "written with \\xNN for each byte that is not text; the content of files, which a saved "
	 "plan contains, must be UTF-8. Nothing was written."},
	{CODE_CROWDED, CLASS_FAILED, "too many objects in a network namespace",
	 "mvapply reads at most 1 MiB of addresses and of routes for each container, some 20,000 "
	 "routes, because all others wait meanwhile. The namespace is not changed. Remove the "
	 "excess addresses or routes, and run mvapply again."},
	{CODE_DESCRIPTORS, CLASS_FAILED, "too many open files",
	 "Reading all network namespaces takes up to two descriptors for each. mvapply raises its "
	 "own limit as far as it can: raise the hard limit with `LimitNOFILE=` in the unit, or "
	 "`ulimit -Hn`."},
	{CODE_SET_KEPT, CLASS_FAILED, "set kept in sync by another service",
	 "Two services with the same set would revert each other's changes. Stop the service that "
	 "the message names, or give the sets of one of them other names with `name:`."},
	{CODE_RESOLV_CONF, CLASS_FAILED, "name servers cannot be written",
	 "`resolv_conf` names a file for the name servers of a lease. Its folders exist, are root's, "
	 "writable by root alone or sticky, and no symbolic links; the service's unit lists them in "
	 "ReadWritePaths. A file of another program at that path is not replaced. The lease itself is "
	 "used."},
	{CODE_COMMAND, CLASS_USAGE, "unknown command", "`mvapply --help` lists the commands."},
	{CODE_OPTION, CLASS_USAGE, "unknown option",
	 "`--help` after the command lists its options."},
	{CODE_OPTION_VALUE, CLASS_USAGE, "missing or invalid option value",
	 "`--help` after the command shows the value of each option."},
	{CODE_WORDS, CLASS_USAGE, "unexpected argument",
	 "The command takes no further arguments. Pass files with `-f`."},
	{CODE_NO_FILE, CLASS_USAGE, "no file given",
	 "Pass a file with `-f`; `-` is standard input."},
	{CODE_TOGETHER, CLASS_USAGE, "conflicting options",
	 "`--confirm` covers a single plan, and `--wait` creates several; a saved plan contains "
	 "its own files and options; `delete --name` is for a set without its files."},
	{CODE_EXPLAIN, CLASS_USAGE, "unknown key or code",
	 "`mvapply explain` lists the keys of the configuration, `mvapply explain MV` the codes "
	 "of errors."},
	{CODE_IMPORT, CLASS_USAGE, "unknown import source",
	 "Import from `docker`, `podman`, `compose PATH...`, `cni PATH...` or `quadlet PATH...`. If "
	 "Podman listens on Docker's socket, use `mvapply import podman`."},
	{CODE_IMPORT_FILE, CLASS_USAGE, "not a file of that format",
	 "A Compose file is YAML with a map at its top; a CNI configuration is a JSON object."},
	{CODE_OCI_STATE, CLASS_USAGE, "not the state of a container",
	 "`mvapply hook` is started by a container runtime, which writes the state of the container "
	 "to its standard input as JSON. To attach containers by hand, use `mvapply apply`."},
	{CODE_TRAFFIC_PARENT, CLASS_FAILED, "nothing passes: the parent is down or has no carrier",
	 "The parent of the attachments is down, or no cable or peer is connected to it. Bring it "
	 "up, or connect it."},
	{CODE_TRAFFIC_CONTAINER, CLASS_FAILED, "nothing passes: the container's link is changed",
	 "The link in the container is down, or its address or its default route is missing. "
	 "`mvapply apply` restores them. If they disappear again, a program in the container "
	 "removes them."},
	{CODE_TRAFFIC_MAC, CLASS_FAILED, "nothing passes: a filter of MAC addresses",
	 "The gateway answers the parent, but no attachment on it. A device between the host and "
	 "the gateway drops frames with MAC addresses other than the host's: a hypervisor, a "
	 "switch with port security, a cloud, or a wireless access point. Allow several MAC "
	 "addresses on that port, or use `driver: ipvlan`, whose links have the parent's MAC "
	 "address."},
	{CODE_TRAFFIC_IP, CLASS_FAILED, "nothing passes: a filter of IP addresses",
	 "The gateway answers the parent, but no ipvlan attachment on it, although both have the "
	 "same MAC address. Clouds deliver only to IP addresses that are assigned to the "
	 "machine: assign the addresses of the containers to the machine's interface."},
	{CODE_TRAFFIC_SOME, CLASS_FAILED,
	 "nothing passes: the gateway answers only some attachments",
	 "The gateway answers other attachments on the same parent. Common causes: the switch port "
	 "allows fewer MAC addresses than there are containers, another machine has the same "
	 "address or MAC address, or a firewall in the container drops ARP or ICMPv6."},
	{CODE_TRAFFIC_VLAN, CLASS_FAILED, "nothing passes: the VLAN is not carried",
	 "Other gateways on the same cable answer, but the one of this VLAN does not, or only "
	 "without the tag. Configure the switch port as a trunk with this VLAN tagged. A "
	 "VLAN-aware bridge of the host also needs the VLAN on the bridge itself: `bridge vlan "
	 "add vid 10 dev br0 self`."},
	{CODE_TRAFFIC_GATEWAY, CLASS_FAILED, "the gateway does not answer",
	 "It answers neither the parent nor an attachment on it. The gateway is off, its address "
	 "differs from the one in the file, or it is on another LAN or VLAN than the parent."},
	{CODE_TRAFFIC_DUPLICATE, CLASS_FAILED, "several machines answer for the gateway",
	 "Several MAC addresses answer one request for the gateway's address, so packets "
	 "sometimes go to the wrong machine. Find the machine by its MAC address, and give it "
	 "another address. A pair of routers that share an address (VRRP, HSRP) answers with one "
	 "MAC address."},
	{CODE_TRAFFIC_SEPARATED, CLASS_FAILED,
	 "the driver separates the gateway from the attachments",
	 "The gateway's address is on the host itself, or on a link of the same parent. The kernel "
	 "passes no frames between a parent and the links on it, nor between links in the modes "
	 "private and passthru, nor in vepa without a switch that sends frames back. Use a router "
	 "of the LAN as the gateway, or `mode: bridge`."},
	{CODE_TRAFFIC_UNASKED, CLASS_FAILED, "no request could be sent to the gateway",
	 "The request could not be sent through the attachment's link. Run mvapply as root, or "
	 "with CAP_NET_ADMIN, CAP_SYS_ADMIN and CAP_NET_RAW. If the container has just been "
	 "restarted, run it again."},
	{CODE_RANGE_ABSENT, CLASS_FAILED, "addresses are chosen from the whole subnet",
	 "A network has no `ip_range`, and mvapply chooses the addresses of its containers. The "
	 "DHCP server of the LAN may assign the same addresses to other machines. Set `ip_range` "
	 "to a part of the subnet that the DHCP server does not use; most routers let you limit "
	 "the server's range. `probe: true` asks the LAN before an address is used, but does not "
	 "keep the server from assigning it later. The attachments keep their addresses if the "
	 "range contains them."},
	{CODE_SUBNET_TWICE, CLASS_FAILED, "a container has overlapping subnets on two LANs",
	 "A container has two links with overlapping subnets, and the links are on different "
	 "parents or VLANs. The kernel sends packets for such an address through one of the two "
	 "links only, the first in the file for equal subnets, so machines on the other LAN are not "
	 "reached. Give the networks different subnets, or attach the container to one of them. "
	 "With `policy_routing: true` on the container, and a gateway on each network, a program "
	 "that binds to an address uses the link of that address."},
	{CODE_SUBNET_OTHER, CLASS_FAILED, "the subnet differs from the parent's",
	 "The parent has addresses of this family, and none of them is in the network's subnet, "
	 "or the prefix length differs. Either the subnet or the parent is most likely wrong. "
	 "Ignore the warning if the LAN has several subnets on purpose."},
	{CODE_GATEWAY_OWN, CLASS_FAILED, "the gateway is the parent's own address",
	 "A macvlan or ipvlan cannot reach its own parent, so the containers have no working "
	 "default route. Write the address of the LAN's router."},
	{CODE_ADDRESS_OF_SET, CLASS_FAILED, "another set has the same address on the parent",
	 "A link that another set attached has the address, in the container that the message "
	 "names. Both containers answer for the address, so connections fail at random. Give one "
	 "of the two attachments another address. The attachment is not blocked, because a "
	 "container can give its own links any address and any owner tag."},
	{CODE_LEASE_ROUTE, CLASS_FAILED, "a lease routes a part of another network's subnet",
	 "A container has a DHCP lease and an address on another network. A route of the lease, or "
	 "the subnet that it gives, is a part of that network's subnet, and the kernel prefers the "
	 "longer prefix: packets for this part leave through the link of the lease. This is used "
	 "as the server says, and reported since it may not be meant. Correct the server's static "
	 "routes (options 121 and 33) or subnet mask, or set `internal: true` on the network with "
	 "the lease, which then uses no routes of its leases."},
	{CODE_POLICY_ADVERTISED, CLASS_FAILED, "policy_routing does not cover advertised addresses",
	 "A container with `policy_routing` takes IPv6 addresses from router advertisements on a "
	 "network that does not have its default route. The kernel has one table for the routes of "
	 "advertisements, so packets from these addresses leave through the default route of the "
	 "other network, whose router may drop them. Give the network an IPv6 subnet with a "
	 "gateway, and use its addresses; or raise its `gw_priority`."},
	{CODE_CNI_VERSION, CLASS_USAGE, "CNI version not supported",
	 "The plugin supports the versions 0.3.1, 0.4.0, 1.0.0 and 1.1.0 of the CNI "
	 "specification. Set \"cniVersion\" in the network configuration to one of them."},
	{CODE_CNI_ENVIRONMENT, CLASS_USAGE, "invalid environment of a CNI plugin",
	 "A container runtime sets CNI_COMMAND, CNI_CONTAINERID, CNI_NETNS and CNI_IFNAME when it "
	 "calls a plugin. One of them is missing or has a value that the specification does not "
	 "allow."},
	{CODE_CNI_INPUT, CLASS_USAGE, "the CNI configuration is not JSON",
	 "A container runtime writes the network configuration to the standard input of the "
	 "plugin, as a JSON object."},
	{CODE_CNI_CONFIGURATION, CLASS_USAGE, "invalid value in the CNI configuration",
	 "The message names the key. mvapply's own keys are `network` and `files`."},
	{CODE_CNI_INTERFACE, CLASS_REFUSED, "the interface already exists",
	 "The container already has an interface with the requested name. Another plugin of the "
	 "same list may have created it: give the plugins different interface names."},
	{CODE_CNI_CHECK, CLASS_FAILED, "the interface has changed since the plugin created it",
	 "The runtime checked the interface, and it has changed: the message states the "
	 "difference. Restart the container."},
	{CODE_CNI_NETWORK, CLASS_USAGE, "the files have no such network",
	 "The CNI configuration names a network by `network` (or by its own name), and the files "
	 "do not declare it, or several sets do. Write SET/NETWORK for a network of one set."},
	{CODE_CNI_ADDRESS, CLASS_REFUSED, "the requested address cannot be used",
	 "A container requests an address that is not in the network's subnets, or that the "
	 "files assign to another container. Choose another address."},
	{CODE_CNI_UNREADY, CLASS_FAILED, "the network cannot attach containers now",
	 "The runtime checked whether the plugin is ready, and it is not. The message states "
	 "what is missing."},
	{CODE_NETAVARK_REQUEST, CLASS_USAGE, "invalid request of netavark",
	 "netavark starts the plugin with `info`, `create`, `setup NETNS` or `teardown NETNS`, and "
	 "writes a JSON request to the standard input. The message names what is wrong in it."},
	{CODE_DOCKER_METHOD, CLASS_USAGE, "unknown method of a Docker plugin",
	 "`mvapply docker-plugin` answers the methods of a network driver and of an IPAM driver. "
	 "docs/reference/docker-driver.md lists them."},
	{CODE_DOCKER_CALL, CLASS_USAGE, "invalid value in a call of Docker",
	 "The message names the method and the key. Docker itself sends such calls only after a "
	 "change of its protocol: please report it with the version of Docker."},
	{CODE_DOCKER_NETWORK, CLASS_USAGE, "the Docker network is not declared in the files",
	 "A Docker network corresponds to a network of the files: name it with `-o network=NAME "
	 "--ipam-opt network=NAME`, or give it the subnet of one network of the files."},
	{CODE_DOCKER_SUBNET, CLASS_USAGE, "the subnet or gateway differs from the files",
	 "The subnet and the gateway of a network are those of the files. Leave `--subnet` and "
	 "`--gateway` out, or write the same as in the files."},
	{CODE_DOCKER_ADDRESS, CLASS_REFUSED, "the requested address is in use",
	 "Another container has the address, or it is reserved for one. Choose another address "
	 "with `--ip`, or leave the option out."},
	{CODE_DOCKER_DECLARED, CLASS_REFUSED, "the address is not the container's",
	 "The files give an address to a container that they declare with `docker:`. Docker tells "
	 "its drivers no names of containers before it has chosen the address, so the address has "
	 "to be written: `docker run --network lan --ip ADDRESS --name NAME`. Only this container "
	 "can have it."},
	{CODE_DOCKER_LINK, CLASS_FAILED, "the container's link is gone",
	 "Docker asked for a link that mvapply created for the container and that does not exist "
	 "any more: its parent was deleted, or another program deleted it. Start the container "
	 "again."},
	{CODE_DOCKER_IPAM, CLASS_USAGE, "the network has another IPAM driver",
	 "Addresses come from the files, so a network of the driver mvapply needs the IPAM driver "
	 "mvapply, too: `docker network create -d mvapply --ipam-driver mvapply`."},
	{CODE_DOCKER_SOCKET, CLASS_FAILED, "the plugin's socket cannot be opened",
	 "`mvapply docker-plugin` listens at /run/docker/plugins/mvapply.sock, or takes the socket "
	 "from systemd. Another one may be running, or the user is not root."},
	{CODE_DOCKER_REPEATED, CLASS_FAILED, "the plugin was restarted during a call of Docker",
	 "Docker repeats a call whose connection broke, but without its arguments, which it has "
	 "sent already. Nothing of the interrupted call stays. Repeat the command, for example "
	 "start the container again."},
	{CODE_DOCKER_DIFFERS, CLASS_USAGE, "a network of Docker differs from the files",
	 "The plugin creates a network of Docker for each network with `docker:`. It removes the "
	 "ones that it created and that no network of the files names any more, and replaces "
	 "those whose subnets or gateways changed. It compares when it starts, and when Docker "
	 "does: restart mvapply-docker.service."},
	{CODE_DOCKER_USED, CLASS_REFUSED, "a network of Docker is kept because containers use it",
	 "The network left the files, or its subnets or gateways changed. Containers use it, "
	 "running or not, and would not start without it. Remove the containers, or leave the "
	 "network in the files, and restart mvapply-docker.service."},
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
