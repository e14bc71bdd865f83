# The page to try a model on, for an ordinary user of the image:
#
#   docker build -t ptn_semi .
#   docker run --rm -p 127.0.0.1:7860:7860 ptn_semi
#
# With CUDA: docker build --build-arg EXTRAS=demo,gpu ..., and docker run --gpus=all ...
FROM python:3.11-slim

ARG EXTRAS=demo
ENV PYTHONUNBUFFERED=1

WORKDIR /opt/ptn_semi
COPY . .
RUN pip install --no-cache-dir -c constraints.txt ".[$EXTRAS]" \
 && useradd --create-home --uid 1000 user

USER 1000
WORKDIR /home/user
EXPOSE 7860
# Loading the model takes some seconds.
HEALTHCHECK --start-period=60s CMD ["python", "-c", \
    "import urllib.request; urllib.request.urlopen('http://127.0.0.1:7860', timeout=5)"]
CMD ["ptn-semi", "demo", "--host=0.0.0.0"]
