/* plan COUNT...: for each count, in a process of its own, reads and checks a file with that many
 * attachments, and plans them for a host on which every container exists without links. The kernel
 * is not used. Prints
 *
 *     COUNT MICROSECONDS-TO-READ-AND-CHECK MICROSECONDS-TO-PLAN PEAK-KIBIBYTES */
#include "reconcile/plan/plan.h"
#include "lib/arena.h"
#include "lib/memory.h"
#include "schema/load.h"

#include <linux/if.h>
#include <linux/if_arp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double cpu_us(void)
{
	struct timespec now; /* of this process only */
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static struct input declare(size_t count)
{
	char *bytes;
	struct input input = {.file = "bench.yaml"};
	FILE *out = open_memstream(&bytes, &input.size);
	fputs("networks:\n  n0:\n    parent: eth0\n    subnet: 10.0.0.0/8\n    gateway: 10.0.0.1\n"
	      "containers:\n",
	      out);
	for (size_t i = 0; i < count; i++)
		fprintf(out, "  c%zu:\n    networks: [n0]\n", i);
	fclose(out);
	input.bytes = bytes;
	return input;
}

static struct live_ns *namespace(struct live *live, const char *name, const char *link)
{
	struct live_ns *ns = arena_alloc(live->arena, sizeof(*ns));
	*array_push(live->arena, live->namespaces, live->n_namespaces) = ns;
	*ns = (struct live_ns){.arena = live->arena,
			       .inode = live->n_namespaces,
			       .name = name,
			       .host = live->n_namespaces == 1,
			       .details = true};
	*array_push(ns->arena, ns->links, ns->n_links) =
		(struct live_link){.ifindex = 1,
				   .name = link,
				   .type = ARPHRD_ETHER,
				   .kind_name = "",
				   .alias = "",
				   .mtu = 1500,
				   .flags = IFF_UP | IFF_LOWER_UP};
	return ns;
}

static struct live *host_of(const struct desired *desired)
{
	struct arena *arena = arena_new();
	struct live *live = arena_alloc(arena, sizeof(*live));
	const struct set *set = &desired->sets[0];
	*live = (struct live){.arena = arena, .addr_proto = true};
	namespace(live, "the host", "eth0");
	for (size_t i = 0; i < set->n_containers; i++)
		*array_push(arena, live->container_lookups, live->n_containers) =
			(struct container_lookup){
				.container = &set->containers[i],
				.state = CONTAINER_READY,
				.ns = namespace(live, set->containers[i].name, "lo")};
	return live;
}

static int one(size_t count)
{
	struct diags diags;
	struct rusage usage;
	const struct input input = declare(count);
	diags_init(&diags);
	const double start = cpu_us();
	struct desired *desired = load(&input, 1, NULL, &diags);
	const double loaded = cpu_us();
	if (!desired)
		return 1;
	struct live *live = host_of(desired);
	const double looked = cpu_us();
	const struct plan *plan = plan_make(desired, live, &plan_options_default);
	const double planned = cpu_us();
	getrusage(RUSAGE_SELF, &usage);
	printf("%zu %.0f %.0f %ld\n", count, loaded - start, planned - looked, usage.ru_maxrss);
	return plan_count(plan, ACTION_CREATE) != count;
}

int main(int argc, char **argv)
{
	memory_share();
	for (int i = 1; i < argc; i++) {
		int status;
		fflush(stdout);
		pid_t pid = fork();
		if (pid == 0)
			return one(strtoul(argv[i], NULL, 10));
		if (pid < 0 || waitpid(pid, &status, 0) < 0 || status)
			return 1;
	}
	return 0;
}
