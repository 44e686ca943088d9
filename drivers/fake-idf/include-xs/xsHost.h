/* In place of the SDK's platform header: nothing of it is used but what xs.h has. */
