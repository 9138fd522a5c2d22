// Command kubernetes reads manifests of Jobs as Kubernetes' own types have them (batch/v1 of
// k8s.io/api): a field that is not there, or is of another type or named twice, is an error. It is
// a module of its own, so that Barrow needs none of this.
//
//	go run . FILE.yaml…
package main

import (
	"errors"
	"fmt"
	"os"

	batchv1 "k8s.io/api/batch/v1"
	"sigs.k8s.io/yaml"
)

func main() {
	for _, path := range os.Args[1:] {
		job, err := read(path)
		if err != nil {
			fmt.Fprintf(os.Stderr, "%s: %v\n", path, err)
			os.Exit(1)
		}
		fmt.Printf("%s: %s %s\n", path, job.Kind, job.Name)
	}
}

func read(path string) (*batchv1.Job, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var job batchv1.Job
	if err := yaml.UnmarshalStrict(b, &job); err != nil {
		return nil, err
	}
	spec := job.Spec.Template.Spec
	switch {
	case job.APIVersion != batchv1.SchemeGroupVersion.String() || job.Kind != "Job" || job.Name == "":
		return nil, fmt.Errorf("is %s %s %q, not a Job", job.APIVersion, job.Kind, job.Name)
	case len(spec.Containers) != 1 || len(spec.Volumes) != 1 || spec.Volumes[0].PersistentVolumeClaim == nil:
		return nil, errors.New("want one container, and one volume by a claim")
	case spec.Containers[0].VolumeMounts[0].Name != spec.Volumes[0].Name:
		return nil, errors.New("mounts another volume")
	case job.Spec.BackoffLimitPerIndex != nil && (job.Spec.CompletionMode == nil || *job.Spec.CompletionMode != batchv1.IndexedCompletion):
		return nil, errors.New("a limit for each index, and no indexes")
	case job.Spec.PodFailurePolicy != nil && spec.RestartPolicy != "Never":
		return nil, errors.New("a policy for failures of pods that are started again")
	}
	return &job, nil
}
