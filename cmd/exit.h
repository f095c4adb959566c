/* The exit codes of the program. */
#ifndef CMD_EXIT_H
#define CMD_EXIT_H

enum exit_code {
	EXIT_CONVERGED = 0, /* success; `diff`: nothing to do */
	EXIT_FAILED =
		1, /* something failed or is blocked; what was done and what was not is listed */
	EXIT_DIFFERS = 2,  /* `diff`, and `status --exit-code`: the host differs from the files */
	EXIT_USAGE = 3,    /* the files or the command line are wrong; nothing was changed */
	EXIT_REFUSED = 4,  /* refused: a conflict on the host, or a guard; nothing was changed */
	EXIT_REVERTED = 5, /* rolled back: an apply with --confirm was not confirmed in time */
};

#endif
