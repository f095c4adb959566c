#include "reconcile/observe/resolv_conf_files.h"

#include "dhcp/resolv_conf.h"

static void attachment_observe(struct live *live, const struct set *set,
			       const struct container *container,
			       const struct attachment *attachment)
{
	if (!attachment->resolv_conf)
		return;
	live->resolv_conf = true;
	const struct owner_tag tag = owner_tag_of(set, container, attachment);
	if (!resolv_conf_exists(attachment->resolv_conf, owner_tag_identity(live->arena, &tag)))
		*array_push(live->arena, live->unwritten, live->n_unwritten) =
			attachment->resolv_conf;
}

void resolv_conf_files_observe(struct live *live, const struct desired *desired)
{
	for (size_t i = 0; i < desired->n_sets; i++)
		for (size_t k = 0; k < desired->sets[i].n_containers; k++) {
			const struct container *container = &desired->sets[i].containers[k];
			for (size_t m = 0; m < container->n_attachments; m++)
				attachment_observe(live, &desired->sets[i], container,
						   &container->attachments[m]);
		}
}
