/* Whether seccomp filters can be tested here. */
#ifndef TESTS_UNIT_SECCOMP_PROBE_H
#define TESTS_UNIT_SECCOMP_PROBE_H

/* Skips the test (cmocka's skip()) where a process cannot install a filter: qemu-user has none. */
void seccomp_needed(void);

#endif
