#include "cmd/doctor/doctor.h"

#include "cmd/ansi.h"
#include "cmd/commands.h"
#include "cmd/exit.h"
#include "cmd/incomplete.h"
#include "cmd/input.h"
#include "cmd/output.h"
#include "cmd/output_json.h"
#include "cmd/output_text.h"
#include "cmd/terminal.h"
#include "lib/printable.h"

#include <stdio.h>
#include <string.h>

static const struct check {
	const char *name;
	bool of_host; /* requires the live state */
	examine *examine, *without_files;
} checks[] = {
	{"rights", false, examine_rights, examine_rights},
	{"kernel", false, examine_kernel, examine_kernel},
	{"plan", true, examine_plan, examine_plan},
	{"containers", true, examine_containers, examine_engines},
	{"docker", false, examine_docker, examine_docker},
	{"parents", true, examine_parents, examine_parents},
	{"hardware", true, examine_hardware, examine_hardware},
	{"ipv6", false, examine_ipv6, examine_ipv6},
	{"rp_filter", false, examine_rp_filter, examine_rp_filter},
	{"dhcp", false, examine_dhcp, examine_dhcp},
	{"traffic", true, examine_traffic, examine_traffic},
};

enum { N_CHECKS = sizeof(checks) / sizeof(checks[0]) };

static const struct {
	const char *name, *color;
} levels[] = {
	[FINDING_PROBLEM] = {"problem", SGR_RED},
	[FINDING_WARNING] = {"warning", SGR_YELLOW},
	[FINDING_NOTE] = {"note", ""},
};

struct finding *finding_add(struct examination *examination, enum finding_level level,
			    const char *subject, const char *text, const char *fix)
{
	struct finding *finding =
		array_push(examination->arena, examination->findings, examination->n_findings);
	*finding = (struct finding){.level = level,
				    .check = examination->check,
				    .subject = subject,
				    .text = text,
				    .fix = fix};
	return finding;
}

#define FINDING_INDENT 20 /* width of one finding in columns */

static size_t count(const struct examination *examination, enum finding_level level)
{
	size_t found = 0;
	for (size_t i = 0; i < examination->n_findings; i++)
		found += examination->findings[i].level == level;
	return found;
}

static void report_finding(struct arena *arena, const struct text *text,
			   const struct finding *finding)
{
	const char *color = text->color ? levels[finding->level].color : "";
	const char *indent = arena_printf(arena, "%*s", FINDING_INDENT, "");
	printf("%s%-8s%s %-10s %s\n", color, levels[finding->level].name,
	       text->color ? SGR_RESET : "", finding->check, printable(arena, finding->subject));
	puts(terminal_wrap(arena, stdout, indent, FINDING_INDENT,
			   coded(arena, finding->text, finding->code)));
	if (finding->fix)
		puts(terminal_wrap(arena, stdout, arena_printf(arena, "%sfix: ", indent),
				   FINDING_INDENT, finding->fix));
}

#define OK "ok"

static void report_ok(struct arena *arena, const struct text *text, const char *check,
		      const char *examined)
{
	const char *first = arena_printf(arena, "%-8s %-10s ", OK, check);
	const char *line = terminal_wrap(arena, stdout, first, FINDING_INDENT, examined);
	printf("%s" OK "%s%s\n", text->color ? SGR_GREEN : "", text->color ? SGR_RESET : "",
	       line + strlen(OK));
}

/* Runs one check, and reports its success unless `text` is NULL. */
static void check_one(const struct check *check, struct examination *examination,
		      const struct text *text)
{
	const size_t before = examination->n_findings;
	const size_t notes = count(examination, FINDING_NOTE);
	examination->check = check->name;
	const char *examined =
		(examination->host_alone ? check->without_files : check->examine)(examination);
	for (size_t i = before; text && i < examination->n_findings; i++)
		report_finding(examination->arena, text, &examination->findings[i]);
	const size_t found = examination->n_findings - before;
	if (text && examined && found == count(examination, FINDING_NOTE) - notes)
		report_ok(examination->arena, text, check->name, examined);
}

static json_t *json_findings(const struct examination *examination)
{
	json_t *list = json_array(), *notes = json_array();
	for (size_t i = 0; i < examination->n_findings; i++) {
		const struct finding *finding = &examination->findings[i];
		json_push(finding->level == FINDING_NOTE ? notes : list,
			  json_pack("{s:s, s:s, s:o, s:o, s:o, s:o}", "level",
				    levels[finding->level].name, "check", finding->check, "code",
				    json_code(finding->code), "subject",
				    json_text(finding->subject), "message",
				    json_text(finding->text), "fix", json_text(finding->fix)));
	}
	json_t *document = json_pack("{s:o, s:o}", "findings", list, "notes", notes);
	if (examination->traffic)
		json_put(document, "traffic", traffic_json(examination->traffic));
	incomplete_json(document, examination->run ? examination->run->live : NULL);
	return document;
}

/* The checks run without a live state if the host cannot be read. */
static void check_all(struct examination *examination, const struct error *error,
		      const struct text *text)
{
	for (size_t i = 0; i < N_CHECKS; i++)
		if (examination->run || !checks[i].of_host)
			check_one(&checks[i], examination, text);
	if (examination->run)
		return;
	examination->check = "plan";
	finding_add(examination, FINDING_PROBLEM, "the host", error->text,
		    *error->hint ? error->hint : NULL)
		->code = error->code;
	if (text)
		report_finding(examination->arena, text,
			       &examination->findings[examination->n_findings - 1]);
}

static int report(const struct examination *examination, const struct options *options)
{
	size_t problems = count(examination, FINDING_PROBLEM);
	size_t warnings = count(examination, FINDING_WARNING);
	int code = problems ? EXIT_FAILED : EXIT_CONVERGED;
	if (options->output == OUTPUT_JSON)
		return json_finish(json_findings(examination), code);
	if (options->quiet)
		return code;
	if (!problems && !warnings)
		puts("No problem found.");
	else
		printf("Found: %zu problem%s, %zu warning%s.\n", problems, problems == 1 ? "" : "s",
		       warnings, warnings == 1 ? "" : "s");
	if (examination->host_alone)
		puts("Only the host was checked. To check your files on it: `mvapply doctor -f "
		     "network.yaml`");
	return code;
}

/* A gateway is queried through attachments, which files declare. */
static int traffic_of_nothing(const struct options *options)
{
	return usage_error(options, CODE_NO_FILE, "`mvapply doctor -f network.yaml --traffic`",
			   "doctor --traffic needs a file");
}

int command_doctor(const struct options *options)
{
	const bool alone = !options->n_files;
	if (alone && options->traffic)
		return traffic_of_nothing(options);
	struct desired *desired = alone ? host_alone(options->host) : input_read(options);
	if (!desired)
		return EXIT_USAGE;
	struct run run;
	struct error error;
	struct options thorough = *options;
	thorough.plan.thorough = true;
	bool examined = run_observe(&run, desired, &thorough, &error) == 0;
	struct examination examination = {
		.arena = options->arena,
		.desired = desired,
		.run = examined ? &run : NULL,
		.ask_traffic = options->traffic,
		.host_alone = alone,
	};
	struct text text = text_new(options, stdout, desired->n_sets);
	bool verbose = options->output == OUTPUT_TEXT && !options->quiet;
	check_all(&examination, &error, verbose ? &text : NULL);
	if (examination.traffic && verbose)
		traffic_report(&examination, &text);
	int code = report(&examination, options);
	if (examined)
		run_free(&run);
	desired_free(desired);
	return code;
}
