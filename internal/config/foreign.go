package config

// foreignKeys are keys of other documents, and of "protect", that people write at the top level.
var foreignKeys = map[string]string{
	"rules":    `is a key of a lifecycle policy; a configuration has the policy in an entry: "policies": [{"policy": {"rules": …}}]`,
	"inUse":    belongsInProtect,
	"accounts": belongsInProtect,
	"regions":  belongsInProtect,
	"expect":   belongsInProtect,
}

const belongsInProtect = `belongs in "protect"; move it there`
