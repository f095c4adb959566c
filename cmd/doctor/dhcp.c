/* Checks that a DHCP client is installed, if one is needed, and that the files with name servers
 * can be written. */
#include "cmd/doctor/doctor.h"
#include "dhcp/client.h"
#include "dhcp/resolv_conf.h"

static bool uses_dhcp(const struct container *container)
{
	for (size_t i = 0; i < container->n_attachments; i++)
		if (container->attachments[i].dhcp)
			return true;
	return false;
}

static void examine_file(struct examination *examination, const struct attachment *attachment)
{
	struct error error;
	if (!attachment->dhcp || !attachment->resolv_conf ||
	    resolv_conf_folder_check(attachment->resolv_conf, &error) == 0)
		return;
	finding_add(examination, FINDING_PROBLEM, "the host",
		    arena_strdup(examination->arena, error.text),
		    arena_strdup(examination->arena, error.hint))
		->code = error.code;
}

static void examine_files(struct examination *examination)
{
	const struct desired *desired = examination->desired;
	for (size_t i = 0; !examination->host_alone && i < desired->n_sets; i++)
		for (size_t k = 0; k < desired->sets[i].n_containers; k++) {
			const struct container *container = &desired->sets[i].containers[k];
			for (size_t n = 0; n < container->n_attachments; n++)
				examine_file(examination, &container->attachments[n]);
		}
}

const char *examine_dhcp(struct examination *examination)
{
	char path[PATH_MAX];
	examine_files(examination);
	if (!examination->host_alone && !desired_any_container(examination->desired, uses_dhcp))
		return NULL;
	if (client_find(path))
		return arena_printf(examination->arena, "the client is %s", path);
	if (examination->host_alone)
		return "no client (udhcpc), which only `dhcp: true` needs";
	finding_add(examination, FINDING_PROBLEM, "the host",
		    "there is no DHCP client (udhcpc), and `dhcp: true` requires one",
		    "install udhcpc, or a busybox that has it")
		->code = CODE_DHCP_CLIENT;
	return NULL;
}
