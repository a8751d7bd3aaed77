export { compile } from "vega-lite";
export { parse, View } from "vega";
export { expressionInterpreter } from "vega-interpreter";
