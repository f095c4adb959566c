#include "cmd/input.h"
#include "cmd/watch/internal.h"

#include <stdio.h>

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
	log_write(&service->log, LEVEL_WARNING,
		  "the files have errors: the last valid configuration stays in effect");
}

static void take(struct service *service, struct desired *desired)
{
	struct error error;
	if (service_keep(service, desired, &error) < 0) {
		log_error(&service->log, LEVEL_ERROR,
			  "the last valid configuration stays in effect", &error);
		service_keep_only(service, service->next ? service->next : service->desired);
		desired_free(desired);
		service->metrics.input_valid = false;
		service->dirty = true;
		return;
	}
	report_sets_no_longer_declared(service, service->next ? service->next : service->desired,
				       desired);
	service_keep_only(service, desired);
	service_wait_end(service);
	service->refusals = 0;
	desired_free(service->next);
	service->next = desired;
	log_write(&service->log, LEVEL_NOTICE,
		  service->metrics.input_valid ? "the files changed" : "the files are valid again");
	service->metrics.input_valid = true;
	service->dirty = true;
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
		service->metrics.input_valid = false;
		service->dirty = true; /* for the metrics and the status */
		service_wait_end(service);
		faults_log(service, &reload->diags);
	}
	service_unread(service);
}
