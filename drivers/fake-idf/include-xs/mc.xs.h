/* In place of the linker's: names are looked up when they are used. */
#define xsID_kind xsID("kind")
#define xsID_fault xsID("fault")
#define xsID_code xsID("code")
#define xsID_type xsID("type")
#define xsID_atMs xsID("atMs")
#define xsID_bytes xsID("bytes")
#define xsID_on xsID("on")
