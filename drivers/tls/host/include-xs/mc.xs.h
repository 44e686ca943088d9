/* In place of the linker's: names are looked up when they are used. */
#define xsID_kind xsID("kind")
#define xsID_id xsID("id")
#define xsID_bytes xsID("bytes")
#define xsID_fault xsID("fault")
#define xsID_reason xsID("reason")
#define xsID_text xsID("text")
