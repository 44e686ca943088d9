#include "fake-idf.h"
