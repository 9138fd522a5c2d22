package kernel

var available = []named{{"go", encodePortable}}
