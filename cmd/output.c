#include "cmd/output.h"

#include "cmd/exit.h"
#include "cmd/output_ip.h"
#include "cmd/output_json.h"
#include "cmd/output_markdown.h"
#include "cmd/output_text.h"
#include "cmd/session.h"
#include "lib/journal.h"
#include "reconcile/observe/netns_owner.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

/* Results are written to stdout, errors to stderr, in the order of their occurrence. */
static void report_text(const struct run *run, const struct desired *desired,
			const struct options *options)
{
	const struct plan *plan = run->plan;
	struct text text = text_new(options, options->quiet ? stderr : stdout, desired->n_sets);
	bool tried = run->outcomes && plan->n_steps;
	text_warnings(plan, run->live);
	text_plan(&text, plan, run->outcomes, options->quiet ? TEXT_TROUBLES : TEXT_ALL);
	if (!options->quiet && !tried)
		text_plan_summary(&text, plan, run->live);
	fflush(stdout);
	if (tried)
		text_failures(&text, plan, run->outcomes);
	if (tried && !options->quiet)
		text_done(&text, plan, run->outcomes);
	if (plan_count(plan, ACTION_REFUSED))
		journal_stderr(LEVEL_ERROR, "mvapply: refused: nothing was changed\n");
	for (size_t i = 0; i < run->n_stale_reasons; i++)
		text_note(run->stale_reasons[i]);
	if (run->fault.code)
		text_error(&run->fault);
}

/* Warnings from before the first observation come first. */
static void warnings_precede(json_t *document, const struct options *options)
{
	json_t *all = json_sentences(options->warnings, options->n_warnings);
	json_array_extend(all, json_object_get(document, "warnings"));
	json_put(document, "warnings", all);
}

json_t *run_json(const struct run *run, const struct options *options)
{
	json_t *document = json_plan(run->plan, run->live, run->outcomes);
	warnings_precede(document, options);
	if (run->earlier)
		json_plan_precede(document, run->earlier);
	json_put(document, "errors", json_errors(&run->fault));
	if (run->n_stale_reasons)
		json_put(document, "moved",
			 json_sentences(run->stale_reasons, run->n_stale_reasons));
	return document;
}

static void report_ip(const struct run *run, const struct text *text)
{
	__attribute__((cleanup(arena_cleanup))) struct arena *arena = arena_new();
	text_warnings(run->plan, run->live);
	ip_plan(text, run->plan, run->live, origins_find(run->live, arena));
}

int run_report(const struct run *run, const struct desired *desired, const struct options *options)
{
	const struct text text = text_new(options, stdout, desired->n_sets);
	switch (options->output) {
	case OUTPUT_JSON:
		return json_finish(run_json(run, options), run->exit_code);
	case OUTPUT_TEXT:
		report_text(run, desired, options);
		break;
	case OUTPUT_IP:
		report_ip(run, &text);
		break;
	case OUTPUT_MARKDOWN:
		markdown_plan(&text, run->plan, run->live);
		break;
	}
	return run->exit_code;
}

static json_t *error_json(const struct error *error, json_t *earlier)
{
	const struct plan nothing = {0};
	const struct live nowhere = {0};
	if (json_array_size(earlier) == 0)
		return json_error(error);
	json_t *document = json_plan(&nothing, &nowhere, NULL);
	json_plan_precede(document, earlier);
	json_put(document, "errors", json_errors(error));
	return document;
}

int run_error_after(const struct error *error, json_t *earlier, const struct options *options)
{
	static const int exit_codes[] = {[CLASS_FAILED] = EXIT_FAILED,
					 [CLASS_USAGE] = EXIT_USAGE,
					 [CLASS_REFUSED] = EXIT_REFUSED};
	const int code = exit_codes[code_class(error->code)];
	if (options->output == OUTPUT_JSON) {
		json_t *document = error_json(error, earlier);
		if (options->n_warnings)
			warnings_precede(document, options);
		return json_finish(document, code);
	}
	text_error(error);
	return code;
}

int run_error(const struct error *error, const struct options *options)
{
	return run_error_after(error, NULL, options);
}

int usage_error(const struct options *options, enum code code, const char *hint, const char *format,
		...)
{
	struct error error;
	va_list args;
	va_start(args, format);
	error_set(&error, EINVAL, "%s", arena_vprintf(options->arena, format, args));
	va_end(args);
	error_hint(&error, "%s", hint);
	error_code(&error, code);
	return run_error(&error, options);
}
