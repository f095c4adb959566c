#include "cmd/input.h"
#include "cmd/watch/internal.h"

#include <stdio.h>

bool service_has_configuration(const struct service *service)
{
	return service->next || service->desired;
}

/* What holds as long as the files cannot be used. */
static const char *in_effect(const struct service *service)
{
	return service_has_configuration(service) ? "the last valid configuration stays in effect"
						  : "no configuration is in effect yet";
}

static void faults_log(const struct service *service, const struct diags *diags)
{
	for (size_t i = 0; i < diags->count; i++) {
		const struct diag *diag = &diags->items[i];
		char code[CODE_TEXT_SIZE], message[LOG_MESSAGE_SIZE];
		code_format(diag->code, code);
		snprintf(message, sizeof(message), "%s: %s [%s]%s%s",
			 place_format(diags->arena, &diag->place), diag->text, code,
			 diag->hint ? "; hint: " : "", diag->hint ? diag->hint : "");
		log_write_fields(&service->log, LEVEL_ERROR, message,
				 json_pack("{s:s}", "code", code));
	}
	log_write(&service->log, LEVEL_WARNING, "the files have errors: %s", in_effect(service));
}

static void take(struct service *service, struct desired *desired)
{
	struct error error;
	if (service_keep(service, desired, &error) < 0) {
		log_error(&service->log, LEVEL_ERROR, in_effect(service), &error);
		service_keep_only(service, service->next ? service->next : service->desired);
		desired_free(desired);
		service->metrics.input_valid = false;
		service_replan(service);
		return;
	}
	report_sets_no_longer_declared(service, service->next ? service->next : service->desired,
				       desired);
	service_keep_only(service, desired);
	service_wait_end(service);
	service->refusals = 0;
	log_write(&service->log, LEVEL_NOTICE, "%s",
		  service->metrics.input_valid         ? "the files changed"
		  : service_has_configuration(service) ? "the files are valid again"
						       : "the files are valid");
	desired_free(service->next);
	service->next = desired;
	service->metrics.input_valid = true;
	service_replan(service);
	retry_clear(service->retry);
}

void service_prefetch(struct service *service)
{
	struct reload *reload = &service->reload;
	service_unread(service);
	diags_init(&reload->diags);
	reload->desired =
		input_load(service->options, &service->content, &reload->diags, &reload->content);
	reload->done = true;
}

void service_unread(struct service *service)
{
	if (service->reload.done) {
		desired_free(service->reload.desired);
		diags_free(&service->reload.diags);
	}
	service->reload = (struct reload){.done = false};
}

static void files_invalid(struct service *service, const struct diags *diags)
{
	service->metrics.input_valid = false;
	service_replan(service); /* for the metrics and the status */
	service_wait_end(service);
	faults_log(service, diags);
}

void service_read_first(struct service *service)
{
	struct reload *reload = &service->reload;
	service_prefetch(service);
	service->content = reload->content;
	service->desired = reload->desired;
	reload->desired = NULL;
	service_replan(service);
	if (!service->desired)
		files_invalid(service, &reload->diags);
	service_unread(service);
}

/* An error is reported once, until the files change. */
void service_read(struct service *service)
{
	struct reload *reload = &service->reload;
	if (!reload->done)
		service_prefetch(service);
	service->content = reload->content;
	if (reload->desired) {
		take(service, reload->desired);
		reload->desired = NULL;
	} else if (reload->diags.count) {
		files_invalid(service, &reload->diags);
	}
	service_unread(service);
}
