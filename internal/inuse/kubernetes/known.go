package kubernetes

import "slices"

// KnownResources returns kinds of custom resources that name images, as PLURAL.GROUP, sorted.
// Before such an object runs something, often no object of a built-in kind names its image.
func KnownResources() []string { return slices.Sorted(slices.Values(known)) }

var known = []string{
	// Argo Workflows, Events, Rollouts and CD
	"analysistemplates.argoproj.io", "applications.argoproj.io", "applicationsets.argoproj.io",
	"clusteranalysistemplates.argoproj.io", "clusterworkflowtemplates.argoproj.io", "cronworkflows.argoproj.io",
	"rollouts.argoproj.io", "sensors.argoproj.io", "workflows.argoproj.io", "workflowtemplates.argoproj.io",
	// Flux
	"helmreleases.helm.toolkit.fluxcd.io", "kustomizations.kustomize.toolkit.fluxcd.io", "ocirepositories.source.toolkit.fluxcd.io",
	// KEDA
	"scaledjobs.keda.sh",
	// Knative
	"configurations.serving.knative.dev", "containersources.sources.knative.dev", "revisions.serving.knative.dev",
	"services.serving.knative.dev",
	// Kruise
	"advancedcronjobs.apps.kruise.io", "broadcastjobs.apps.kruise.io", "clonesets.apps.kruise.io",
	"daemonsets.apps.kruise.io", "imagelistpulljobs.apps.kruise.io", "imagepulljobs.apps.kruise.io",
	"sidecarsets.apps.kruise.io", "statefulsets.apps.kruise.io", "uniteddeployments.apps.kruise.io",
	// Tekton
	"clustertasks.tekton.dev", "pipelineruns.tekton.dev", "pipelines.tekton.dev", "stepactions.tekton.dev",
	"taskruns.tekton.dev", "tasks.tekton.dev", "triggertemplates.triggers.tekton.dev",
	// batch and machine learning: Flink, JobSet, KServe, Kubeflow, LeaderWorkerSet, Ray, Seldon, Spark, Volcano
	"clusterservingruntimes.serving.kserve.io", "clustertrainingruntimes.trainer.kubeflow.org",
	"flinkdeployments.flink.apache.org", "inferenceservices.serving.kserve.io", "jobs.batch.volcano.sh",
	"jobsets.jobset.x-k8s.io", "leaderworkersets.leaderworkerset.x-k8s.io", "notebooks.kubeflow.org",
	"pytorchjobs.kubeflow.org", "rayclusters.ray.io", "raycronjobs.ray.io", "rayjobs.ray.io", "rayservices.ray.io",
	"scheduledsparkapplications.sparkoperator.k8s.io", "seldondeployments.machinelearning.seldon.io",
	"servingruntimes.serving.kserve.io", "sparkapplications.sparkoperator.k8s.io", "tfjobs.kubeflow.org",
	"trainingruntimes.trainer.kubeflow.org",
	// others: Agones, Crossplane, GitHub's runners, Istio, KubeVirt, Kyverno, OpenShift, OpenTelemetry, Strimzi, Testkube
	"autoscalingrunnersets.actions.github.com", "clusterpolicies.kyverno.io", "deploymentconfigs.apps.openshift.io",
	"ephemeralrunnersets.actions.github.com", "fleets.agones.dev", "functions.pkg.crossplane.io",
	"instrumentations.opentelemetry.io", "kafkaconnects.kafka.strimzi.io", "runnerdeployments.actions.summerwind.dev",
	"testworkflows.testworkflows.testkube.io", "virtualmachines.kubevirt.io", "wasmplugins.extensions.istio.io",
}
