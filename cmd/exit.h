/* The exit codes of the program. */
#ifndef CMD_EXIT_H
#define CMD_EXIT_H

enum exit_code {
	EXIT_CONVERGED = 0, /* `diff`: nothing to do */
	EXIT_FAILED =
		1, /* something failed or is blocked; what was done and what was not is listed */
	EXIT_DIFFERS = 2,  /* `diff`, and `status --exit-code`: the host differs from the files */
	EXIT_USAGE = 3,    /* the input or the command line is wrong; nothing was touched */
	EXIT_REFUSED = 4,  /* a conflict on the host, or a guard; nothing was touched */
	EXIT_REVERTED = 5, /* a confirmed apply was not confirmed in time */
};

#endif
