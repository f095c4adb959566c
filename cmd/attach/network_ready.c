#include "cmd/attach/network_ready.h"

#include "cmd/attach/attach.h"
#include "cmd/attach/started.h"
#include "cmd/session.h"

#include <errno.h>
#include <stdio.h>

static const struct step *network_step(const struct plan *plan, const struct network *network)
{
	for (size_t i = 0; i < plan->n_steps; i++)
		if (plan->steps[i].tag->role == ROLE_NONE && plan->steps[i].network == network &&
		    plan->steps[i].reason)
			return &plan->steps[i];
	return NULL;
}

static int guest_check(const struct run *run, const struct containers *guest, struct error *error)
{
	for (size_t i = 0; i < run->plan->n_steps; i++) {
		const struct step *step = &run->plan->steps[i];
		if (!containers_have(guest, step) || step_acts(step) ||
		    !attach_step_error(run, step, error))
			continue;
		error_prepend(error, "network %s cannot take another container",
			      guest->attachment->network->name);
		return -EADDRNOTAVAIL;
	}
	return 0;
}

static int plan_check(const struct desired *desired, const struct network *network,
		      const struct containers *guest, const struct options *options,
		      struct error *error)
{
	struct run run;
	struct options only = *options;
	only.quiet = true;
	only.only = guest;
	only.plan.partial = guest->count > 0;
	int status = run_observe(&run, desired, &only, error);
	if (status < 0)
		return status;
	const struct step *step = network_step(run.plan, network);
	status = step ? error_set(error, EAGAIN, "%s", step->reason)
		      : guest_check(&run, guest, error);
	run_free(&run);
	return status;
}

/* In an empty namespace: any other one has links, or may not exist yet. */
static int guest_plan(const struct desired *desired, const struct network_of_set *where,
		      const struct options *options, struct error *error)
{
	struct containers guest;
	const struct started started = {.name = "status",
					.key = "cni.status",
					.netns = options->scratch,
					.interface = "mvstatus"};
	if (!options->scratch)
		return error_set(error, EPERM, "cannot create a network namespace");
	const struct desired *with =
		started_add(desired, where, &started, options->arena, &guest, error);
	return with ? plan_check(with, where->network, &guest, options, error) : -EINVAL;
}

int network_ready(const struct desired *desired, const char *name, const struct options *options,
		  struct error *error)
{
	struct network_of_set where;
	const int status = network_of_name(desired, name, &where, error);
	if (status < 0)
		return status;
	return where.network->dhcp ? plan_check(desired, where.network,
						&(struct containers){.count = 0}, options, error)
				   : guest_plan(desired, &where, options, error);
}
