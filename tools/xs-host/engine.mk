# The engine as both programs build it: byte code only, as the SDK builds it for a chip, with instrumentation.
ENGINE_FLAGS := -DXSPLATFORM=\"ucm-platform.h\" -DINCLUDE_XSPLATFORM -DmxRun=1 -DmxNoConsole=1 -DmxInstrument=1 -DmxBoundsCheck=1
ENGINE_NAMES := xsAll xsAPI xsArguments xsArray xsAtomics xsBigInt xsBoolean xsCommon xsDataView xsDate xsDebug xsDefaults \
	xsError xsFunction xsGenerator xsGlobal xsJSON xsLockdown xsMapSet xsMarshall xsMath xsMemory xsModule xsNumber xsObject \
	xsPlatforms xsProfile xsPromise xsProperty xsProxy xsRegExp xsRun xsString xsSymbol xsType xsdtoa xsre xsmc
