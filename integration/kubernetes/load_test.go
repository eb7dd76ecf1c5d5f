package kubernetes_test

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	etcd "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"

	"github.com/ecr-cleaner/ecr-cleaner/internal/fakeecr/awstest"
)

// load stores many copies of an object in etcd, which is much faster than creating them.
// The API server writes another form than JSON, and reads both. The names of the
// repository app and of its tag v1 are those that image returns for a copy.
func (c *cluster) load(collection string, o object, count int, image func(i int) (repository, tag string)) {
	c.Helper()
	const name = "template"
	o["metadata"].(object)["name"] = name
	c.create(collection, o)
	text := string(c.get(collection + "/" + name).body)
	c.remove(collection + "/" + name)
	client, err := etcd.New(etcd.Config{Endpoints: []string{"unix://" + filepath.Join(c.dir, "client")}, Logger: zap.NewNop()})
	awstest.NoError(c, err)
	defer func() { _ = client.Close() }()
	plural := collection[strings.LastIndexByte(collection, '/')+1:]
	var puts []etcd.Op
	for i := range count {
		repository, tag := image(i)
		own := fmt.Sprintf("%s-%05d", plural, i)
		copied := strings.NewReplacer(`"name":"`+name+`"`, `"name":"`+own+`"`, "/app:v1", "/"+repository+":"+tag,
			"/app@"+awstest.Digest(1), "/"+repository+"@"+awstest.Digest(i)).Replace(text)
		puts = append(puts, etcd.OpPut("/registry/"+plural+"/prod/"+own, copied))
	}
	const most = 64 // in one transaction, whose size etcd limits
	for chunk := range slices.Chunk(puts, most) {
		_, err := client.Txn(c.Context()).Then(chunk...).Commit()
		awstest.NoError(c, err)
	}
}

// large returns a pod template of a usual size: an application with settings and probes,
// and two sidecars.
func large() object {
	probe := object{"httpGet": object{"path": "/health", "port": 8080}, "periodSeconds": 10, "timeoutSeconds": 2}
	var containers []object
	for _, name := range []string{"app", "proxy", "logs"} {
		c := container(name + ":v1")
		c["name"], c["livenessProbe"], c["readinessProbe"] = name, probe, probe
		c["resources"] = object{"requests": object{"cpu": "100m", "memory": "128Mi"}, "limits": object{"memory": "256Mi"}}
		c["volumeMounts"] = []object{{"name": "config", "mountPath": "/etc/app"}, {"name": "data", "mountPath": "/data"}}
		var env []object
		for i := range 12 {
			env = append(env, object{"name": fmt.Sprintf("SETTING_NUMBER_%02d", i), "value": fmt.Sprintf("https://service-%02d.example.com/api/v1", i)})
		}
		c["env"] = env
		containers = append(containers, c)
	}
	return object{
		"metadata": object{"labels": selector, "annotations": object{"example.com/checksum": awstest.Digest(2)}},
		"spec": object{"containers": containers, "volumes": []object{
			{"name": "config", "configMap": object{"name": "config"}}, {"name": "data", "emptyDir": object{}},
		}},
	}
}

func largePod() object {
	o := large()
	var statuses []object
	for _, name := range []string{"app", "proxy", "logs"} {
		statuses = append(statuses, object{
			"name": name, "image": ecr(name + ":v1"), "imageID": ecr(name + "@" + awstest.Digest(1)),
			"ready": true, "restartCount": 0, "state": object{"running": object{"startedAt": "2026-01-01T00:00:00Z"}},
		})
	}
	o["status"] = object{"phase": "Running", "containerStatuses": statuses}
	return o
}

func largeWorkload(replicas int) object {
	return object{"metadata": object{}, "spec": object{
		"replicas": replicas, "selector": object{"matchLabels": selector}, "template": large(),
	}}
}
