// Where the site and its deployment share the processors, the site comes first.
const { getPriority, setPriority } = require("node:os");

const NICENESS = 10;

exports.lowerPriority = () => setPriority(Math.max(NICENESS, getPriority()));
