# Where the XS sources are, and the flags they are built with. Included by every Makefile that builds the engine.
# They come from the npm package @agoric/xsnap (XS 13.3, LGPL-3.0); nothing of them is kept in this repository.
ROOT := $(abspath $(dir $(lastword $(MAKEFILE_LIST)))/../..)
XS := $(ROOT)/node_modules/@agoric/xsnap/moddable/xs
ifeq ($(wildcard $(XS)/sources/xsAll.h),)
$(error XS sources not found in $(XS): run npm install first)
endif
OUT := $(ROOT)/build
XS_INCLUDES := -I$(XS)/includes -I$(XS)/platforms -I$(XS)/sources
# Our own C: every warning is an error. The headers of XS are system headers to it, so that they are not judged.
OWN_WARNINGS := -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes
OWN_INCLUDES := -isystem $(XS)/includes -isystem $(XS)/platforms -isystem $(XS)/sources
# XS's own sources are built as they are, without opinions.
XS_WARNINGS := -w
