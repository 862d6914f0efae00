/** Placeholder: compares nothing until the first gas snapshot exists. */

console.log("There is no gas snapshot to compare with yet.");
