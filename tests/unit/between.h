/* An assertion on a range of integers. cmocka's own, assert_in_range, is deprecated since cmocka 2,
 * and its successor is missing in cmocka 1. Include it after cmocka.h. */
#ifndef TESTS_UNIT_BETWEEN_H
#define TESTS_UNIT_BETWEEN_H

#include <inttypes.h>

/* low <= value <= high */
#define assert_between(value, low, high)                                                           \
	do {                                                                                       \
		const int64_t value_ = (int64_t)(value), low_ = (int64_t)(low),                    \
			      high_ = (int64_t)(high);                                             \
		if (value_ < low_ || value_ > high_)                                               \
			fail_msg("%" PRId64 " is not between %" PRId64 " and %" PRId64, value_,    \
				 low_, high_);                                                     \
	} while (0)

#endif
