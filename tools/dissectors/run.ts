import { generate } from "./generate.js";

generate();
